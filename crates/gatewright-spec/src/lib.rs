//! Everything that knows YAML, JSON and OpenAPI: load, parse, shape, resolve, lower
