// Renders openapi.json: the routes, and for each its parameters, its body and its responses.
"use strict";

let spec;

function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
  e.append(...children.filter((c) => c !== undefined && c !== ""));
  return e;
}

function resolved(schema) {
  return schema && schema.$ref ? spec.components.schemas[schema.$ref.split("/").pop()] : schema;
}

// prose renders the subset of Markdown that descriptions use.
function prose(text) {
  const inline = (line) =>
    line.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) =>
      part.startsWith("`") ? element("code", {}, part.slice(1, -1))
        : part.startsWith("**") ? element("strong", {}, part.slice(2, -2)) : part);
  const box = element("div");
  for (const block of (text || "").trim().split(/\n\n+/)) {
    if (block.startsWith("- ")) {
      const items = block.split(/\n(?=- )/);
      box.append(element("ul", {}, ...items.map((item) => element("li", {}, ...inline(item.slice(2))))));
    } else if (block) {
      box.append(element("p", {}, ...inline(block)));
    }
  }
  return box;
}

function typeOf(schema) {
  const s = resolved(schema) || {};
  const types = [].concat(s.type || []);
  if (types.includes("array")) return `list of ${typeOf(s.items)}`;
  const name = schema && schema.$ref ? schema.$ref.split("/").pop() : types.join(" or ") || "any";
  return name + (s.format ? ` (${s.format})` : "");
}

function rules(schema) {
  const s = resolved(schema) || {};
  const list = [];
  if (s.enum) list.push("one of " + s.enum.join(", "));
  for (const [key, text] of [
    ["minimum", "at least"], ["maximum", "at most"], ["minItems", "items at least"], ["maxItems", "items at most"],
    ["minLength", "length at least"], ["maxLength", "length at most"], ["default", "default"],
  ]) {
    if (s[key] !== undefined) list.push(`${text} ${s[key]}`);
  }
  return list.join("; ");
}

const examples = { uuid: "0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f", "date-time": "2026-01-02T15:04:05Z" };

// example returns a value that a schema accepts.
function example(schema, depth = 0) {
  const s = resolved(schema) || {};
  if (s.examples && s.examples.length) return s.examples[0];
  if (s.default !== undefined) return s.default;
  if (s.enum) return s.enum[0];
  if (depth > 6) return null;
  const type = [].concat(s.type || [])[0];
  switch (type) {
    case "object": {
      const o = {};
      for (const [name, property] of Object.entries(s.properties || {})) o[name] = example(property, depth + 1);
      return o;
    }
    case "array": return [example(s.items, depth + 1)];
    case "string": return examples[s.format] || "…";
    case "integer": case "number": return 0;
    case "boolean": return false;
    default: return null;
  }
}

function table(rows) {
  return element("table", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((c) => element("td", {}, c)))));
}

function fields(schema) {
  const s = resolved(schema);
  if (!s || !s.properties) return "";
  return table(Object.entries(s.properties).map(([name, property]) => [
    element("code", {}, name), typeOf(property),
    (s.required || []).includes(name) ? "required" : "",
    [property.description || "", rules(property)].filter(Boolean).join(" "),
  ]));
}

function content(of) {
  const [media] = Object.entries(of.content || {});
  if (!media) return [];
  return [fields(media[1].schema), element("pre", {}, JSON.stringify(example(media[1].schema), null, 2))];
}

function operation(path, method, op, base) {
  const id = op.operationId;
  const scopes = (op.security || []).flatMap((s) => s.token || []);
  const box = element("article", { id },
    element("h3", {}, element("span", { class: "method" }, method.toUpperCase()), " " + base + path),
    element("p", {}, op.summary || "", " ", ...scopes.map((s) => element("span", { class: "scope" }, s))),
    prose(op.description));
  if ((op.parameters || []).length) {
    box.append(element("h4", {}, "Parameters"), table(op.parameters.map((p) => [
      element("code", {}, p.name), p.in, typeOf(p.schema),
      [p.description || "", rules(p.schema)].filter(Boolean).join(" "),
    ])));
  }
  if (op.requestBody) box.append(element("h4", {}, "Body"), ...content(op.requestBody));
  for (const [status, response] of Object.entries(op.responses || {})) {
    if (status < "400") box.append(element("h4", {}, `Response ${status}`), ...content(response));
  }
  const problems = Object.entries(op.responses || {}).filter(([status]) => status >= "400");
  const rows = problems.map(([status, response]) => [status, response.description]);
  box.append(element("h4", {}, "Problems"), table(rows));
  return box;
}

// groups returns the operations by their tags, each tag once, in the order of the document.
function groups(paths) {
  const byTag = new Map();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, op] of Object.entries(methods)) {
      if (!op.operationId) continue;
      const tag = (op.tags || ["Other"])[0];
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push({ path, method, op });
    }
  }
  return byTag;
}

function show() {
  const nav = document.querySelector("nav");
  const main = document.querySelector("main");
  const base = spec.servers && spec.servers[0] ? spec.servers[0].url : "";
  main.replaceChildren(
    element("h1", {}, spec.info.title + " API ", element("small", {}, spec.info.version)),
    prose(spec.info.description),
  );
  for (const [tag, operations] of groups(spec.paths)) {
    nav.append(element("h2", {}, tag));
    for (const { path, method, op } of operations) {
      const label = element("span", { class: "method" }, method.toUpperCase());
      nav.append(element("a", { href: "#" + op.operationId }, label, " " + path));
      main.append(operation(path, method, op, base));
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("openapi.json")
  .then((response) => {
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  })
  .then((document) => { spec = document; show(); })
  .catch((error) => {
    document.getElementById("state").textContent = `openapi.json could not be rendered: ${error.message}`;
  });
