"""`sweeper schema`: the JSON Schema of study.yaml, for editors."""

from __future__ import annotations

import json
from typing import Any

from sweeper.config import StudyConfig
from sweeper.vocabulary import ACTIVATIONS, DATA_TASKS, FILE_DATA, LOSSES, METRICS, MODEL_OPTIONS, OPTIMIZERS


def schema() -> dict[str, Any]:
    """The schema, with the known names offered for completion where any other word may stand too."""
    document = StudyConfig.model_json_schema(mode="validation")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "sweeper study",
        "description": "Which activation/optimizer combination wins on your Keras model and your data.",
    }
    definitions = document["$defs"]
    _offer(definitions["DataConfig"], "name", [*DATA_TASKS, *FILE_DATA])
    _offer(definitions["ModelConfig"], "name", list(MODEL_OPTIONS))
    _offer(definitions["MetricConfig"], "name", list(METRICS))
    _offer(definitions["TrainingConfig"], "loss", list(LOSSES))
    parameters = document["properties"]["parameters"]
    parameters["properties"] = {
        name: {"description": text, **parameters["additionalProperties"], "examples": [{"values": list(examples)}]}
        for name, text, examples in (
            ("activation", "Of the hidden layers: " + ", ".join(ACTIVATIONS), ("relu", "gelu", "tanh")),
            ("optimizer", ", ".join(OPTIMIZERS), ("sgd", "adam", "rmsprop")),
            ("learning_rate", "Default: four decades that suit each optimizer.", (1e-3, 1e-2)),
            ("batch_size", "Examples a step.", (32, 64)),
        )
    }
    return document


def schema_text() -> str:
    """The schema as a file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _offer(definition: dict[str, Any], key: str, names: list[str]) -> None:
    definition["properties"][key]["examples"] = names
