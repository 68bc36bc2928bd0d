"""The dashboard's history as a table of Athena, and questions to it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePath

from alb_sg.dashboard.history import COLUMNS
from alb_sg.deployment.intrinsics import Template, ref, sub

TABLE = "history"
SERDE = "org.openx.data.jsonserde.JsonSerDe"
TEXT = "string"
# Columns that are no text.
TYPES = {
    "version": "int",
    "severity": "int",
    "complete": "boolean",
    "internet_facing": "boolean",
    "security_groups": "array<string>",
    "unresolved": "boolean",
    "causes": "array<string>",
    "exempt": "boolean",
}


def columns() -> dict[str, str]:
    """The table's columns and their types, in Athena's words."""
    return {name: TYPES.get(name, TEXT) for name in COLUMNS}


def queries() -> dict[str, str]:
    """The questions by name, each as SQL that begins with a comment on what it answers."""
    folder = files("alb_sg.dashboard") / "queries"
    return {
        PurePath(one.name).stem: one.read_text(encoding="utf-8")
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".sql")
    }


def table_statement() -> str:
    """The table for those who make it themselves; the place of the history is theirs to put in."""
    listed = ",\n".join(f"  {name} {kind}" for name, kind in columns().items())
    return (
        f"CREATE EXTERNAL TABLE {TABLE} (\n{listed}\n)\nROW FORMAT SERDE '{SERDE}'\nLOCATION 's3://BUCKET/history/'\n"
    )


def athena_resources(condition: str) -> Template:
    """Database, table and named queries over `TokenBucket`, where a condition holds."""
    resources: Template = {
        "Database": {
            "Type": "AWS::Glue::Database",
            "Condition": condition,
            "Properties": {
                "CatalogId": ref("AWS::AccountId"),
                "DatabaseInput": {"Name": "alb_sg", "Description": "The compliance dashboard's history"},
            },
        },
        "HistoryTable": {
            "Type": "AWS::Glue::Table",
            "Condition": condition,
            "Properties": {
                "CatalogId": ref("AWS::AccountId"),
                "DatabaseName": ref("Database"),
                "TableInput": {
                    "Name": TABLE,
                    "Description": "A row for each scope, verdict and error of each run",
                    "TableType": "EXTERNAL_TABLE",
                    "Parameters": {"classification": "json", "compressionType": "gzip"},
                    "StorageDescriptor": {
                        "Columns": [{"Name": name, "Type": kind} for name, kind in columns().items()],
                        "Location": sub("s3://${Bucket}/history/"),
                        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                        "Compressed": True,
                        "SerdeInfo": {"SerializationLibrary": SERDE},
                    },
                },
            },
        },
    }
    for name, text in queries().items():
        resources["".join(map(str.capitalize, name.split("_"))) + "Query"] = {
            "Type": "AWS::Athena::NamedQuery",
            "Condition": condition,
            "Properties": {
                "Name": f"alb-sg: {name.replace('_', ' ')}",
                "Database": ref("Database"),
                "QueryString": text,
            },
        }
    return resources
