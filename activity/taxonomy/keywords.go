package taxonomy

// shape is what stands behind a keyword of JSON Schema.
type shape byte

const (
	isData        shape = iota // a value that says nothing of schemas
	isSchema                   // one schema
	isSchemas                  // a list of schemas
	isNamed                    // schemas by name
	isPattern                  // a regular expression
	isReference                // where another schema is
	isDialect                  // which JSON Schema
	isUnsupported              // what a taxonomy does without
)

// keywords are those of draft 2020-12
// (https://json-schema.org/draft/2020-12/json-schema-validation, …/json-schema-core).
var keywords = map[string]shape{
	"$schema": isDialect, "$ref": isReference, "$defs": isNamed, "$comment": isData, "$id": isUnsupported, "$anchor": isUnsupported,
	"$dynamicRef": isUnsupported, "$dynamicAnchor": isUnsupported, "$vocabulary": isUnsupported,

	"allOf": isSchemas, "anyOf": isSchemas, "oneOf": isSchemas, "not": isSchema, "if": isSchema, "then": isSchema, "else": isSchema,
	"dependentSchemas": isNamed, "prefixItems": isSchemas, "items": isSchema, "contains": isSchema, "properties": isNamed,
	"patternProperties": isNamed, "additionalProperties": isSchema, "propertyNames": isSchema,
	"unevaluatedItems": isSchema, "unevaluatedProperties": isSchema,

	"type": isData, "enum": isData, "const": isData, "multipleOf": isData, "maximum": isData, "exclusiveMaximum": isData,
	"minimum": isData, "exclusiveMinimum": isData, "maxLength": isData, "minLength": isData, "pattern": isPattern, "maxItems": isData,
	"minItems": isData, "uniqueItems": isData, "maxContains": isData, "minContains": isData, "maxProperties": isData,
	"minProperties": isData, "required": isData, "dependentRequired": isData,

	"format": isData, "contentEncoding": isData, "contentMediaType": isData, "contentSchema": isSchema,
	"title": isData, "description": isData, "default": isData, "deprecated": isData, "readOnly": isData, "writeOnly": isData, "examples": isData,
}

// dialect is the only JSON Schema there is here.
const dialect = "https://json-schema.org/draft/2020-12/schema"
