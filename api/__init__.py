"""Thin HTTP: parse, make one call, answer. One blueprint file per resource."""
