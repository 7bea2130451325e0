package taxonomy

// shape is the type of the value of a JSON Schema keyword.
type shape byte

const (
	isData        shape = iota // a value without schemas
	isSchema                   // one schema
	isSchemas                  // a list of schemas
	isNamed                    // schemas by name
	isPattern                  // a regular expression
	isReference                // a reference to another schema
	isDialect                  // the version of JSON Schema
	isUnsupported              // a keyword that a taxonomy must not use
)

// keywords are the keywords of draft 2020-12 and the shapes of their values. Sources:
// https://json-schema.org/draft/2020-12/json-schema-core and …/json-schema-validation.
var keywords = map[string]shape{
	// Core.
	"$schema": isDialect, "$ref": isReference, "$defs": isNamed, "$comment": isData,
	"$id": isUnsupported, "$anchor": isUnsupported, "$vocabulary": isUnsupported,
	"$dynamicRef": isUnsupported, "$dynamicAnchor": isUnsupported,

	// Applicators.
	"allOf": isSchemas, "anyOf": isSchemas, "oneOf": isSchemas, "not": isSchema,
	"if": isSchema, "then": isSchema, "else": isSchema, "dependentSchemas": isNamed,
	"prefixItems": isSchemas, "items": isSchema, "contains": isSchema,
	"properties": isNamed, "patternProperties": isNamed, "additionalProperties": isSchema,
	"propertyNames": isSchema, "unevaluatedItems": isSchema, "unevaluatedProperties": isSchema,

	// Validation.
	"type": isData, "enum": isData, "const": isData, "multipleOf": isData,
	"maximum": isData, "exclusiveMaximum": isData, "minimum": isData, "exclusiveMinimum": isData,
	"maxLength": isData, "minLength": isData, "pattern": isPattern,
	"maxItems": isData, "minItems": isData, "uniqueItems": isData,
	"maxContains": isData, "minContains": isData, "maxProperties": isData, "minProperties": isData,
	"required": isData, "dependentRequired": isData,

	// Annotations.
	"format": isData, "contentEncoding": isData, "contentMediaType": isData, "contentSchema": isSchema,
	"title": isData, "description": isData, "default": isData, "deprecated": isData,
	"readOnly": isData, "writeOnly": isData, "examples": isData,
}

// dialect is the only supported value of $schema.
const dialect = "https://json-schema.org/draft/2020-12/schema"
