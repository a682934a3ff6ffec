"""Persona labels: what people and machines say about a portrait."""
