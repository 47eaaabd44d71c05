"""JSON that a JSON Schema describes: the part of draft 2020-12 that `messages.schema.json` uses.

hypothesis-jsonschema 0.23.1, the library for this, knows no `prefixItems` and fails on hypothesis 6.170, of
whose inner parts it makes use. A keyword that is not known here raises, so that none is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]
_NO_RULE = {"$schema", "$id", "$defs", "title", "description", "x-event", "x-sender"}
_BY_TYPE: dict[str, set[str]] = {
    "string": {"minLength", "maxLength"},
    "array": {"prefixItems", "items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties", "propertyNames"},
    "null": set(),
}


def anything() -> st.SearchStrategy[Any]:
    """JSON of any shape."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        leaves | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )


def generate(schema: Schema, root: Schema | None = None) -> st.SearchStrategy[Any]:
    """JSON that a schema takes. Raises NotImplementedError for a keyword that is not known here."""
    root = root or schema
    rules = {name: rule for name, rule in schema.items() if name not in _NO_RULE}
    if "$ref" in rules:
        return generate(root["$defs"][rules["$ref"].rsplit("/", 1)[1]], root)
    if "oneOf" in rules:
        return st.one_of([generate(one, root) for one in rules["oneOf"]])
    if "const" in rules or "enum" in rules:
        return st.sampled_from(rules.get("enum", [rules.get("const")]))
    if not rules:
        return anything()
    return _of_type(rules, root)


def _of_type(rules: Schema, root: Schema) -> st.SearchStrategy[Any]:
    kind = rules.get("type", "")
    if kind not in _BY_TYPE or not rules.keys() <= _BY_TYPE[kind] | {"type"}:
        raise NotImplementedError(f"no rule for {sorted(rules)}")
    return _GENERATORS[kind](rules, root)


def _string(rules: Schema, _root: Schema) -> st.SearchStrategy[str]:
    least, most = rules.get("minLength", 0), rules.get("maxLength")
    short = st.text(min_size=least, max_size=max(least, 8))
    return short if most is None else short | st.text(min_size=most, max_size=most)


def _array(rules: Schema, root: Schema) -> st.SearchStrategy[list[Any]]:
    first = st.tuples(*(generate(one, root) for one in rules.get("prefixItems", [])))
    room = 2 if rules.get("maxItems") is None else rules["maxItems"] - len(rules.get("prefixItems", []))
    rest = st.lists(generate(rules.get("items", {}), root), max_size=room)
    return st.builds(lambda one, more: [*one, *more], first, rest)


def _object(rules: Schema, root: Schema) -> st.SearchStrategy[dict[str, Any]]:
    named = {name: generate(rule, root) for name, rule in rules.get("properties", {}).items()}
    required = {name: named[name] for name in rules.get("required", [])}
    optional = {name: rule for name, rule in named.items() if name not in required}
    fixed = st.fixed_dictionaries(required, optional=optional)
    if rules.get("additionalProperties", True) is False:
        return fixed
    names = st.text(max_size=5)
    if "propertyNames" in rules:
        names |= st.from_regex(rules["propertyNames"]["pattern"]).filter(lambda name: name.isprintable())
        names = names.filter(lambda name: not name.startswith("$"))
    return st.builds(lambda one, more: {**more, **one}, fixed, st.dictionaries(names, anything(), max_size=3))


_GENERATORS: dict[str, Callable[[Schema, Schema], st.SearchStrategy[Any]]] = {
    "string": _string,
    "array": _array,
    "object": _object,
    "null": lambda _rules, _root: st.none(),
}
