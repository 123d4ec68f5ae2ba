"""Runs the blocks of docs/analysis.md and prints what each answers.

Reads from standard input a JSON list of [heading, tool, source, block], runs each tool's
blocks one after the other as a notebook would (the last expression is the answer), and
writes a JSON list of the answers: rows of cells as text, sorted; an empty cell is null.
"""

import ast
import json
import sys
from datetime import datetime, timezone


def cell(value):
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float) or type(value).__name__.startswith("float"):
        return f"{value:g}"
    return str(value)


def rows(answer):
    """The rows of a relation, a Series or a frame."""
    if hasattr(answer, "fetchall"):
        found = answer.fetchall()
    elif type(answer).__module__.startswith("polars"):
        found = answer.rows()
    else:
        if type(answer).__name__ == "Series" or answer.index.name or len(answer.index.names) > 1:
            answer = answer.reset_index()
        found = list(answer.itertuples(index=False, name=None))
    return sorted(([cell(value) for value in row] for row in found), key=str)


def run_python(block, names):
    tree = ast.parse(block)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "block", "exec"), names)
    if last is None:
        return None
    return rows(eval(compile(ast.Expression(last.value), "block", "eval"), names))


def main():
    answers = []
    notebooks = {}
    for heading, tool, source, block in json.load(sys.stdin):
        try:
            if tool == "duckdb":
                import duckdb

                database = notebooks.setdefault((tool, source), duckdb.connect())
                answer = database.execute(block)
                answers.append(None if block.startswith("CREATE") else rows(answer))
            else:
                answers.append(run_python(block, notebooks.setdefault((tool, source), {})))
        except Exception as error:
            sys.exit(f"{heading} ({tool}, {source}): {type(error).__name__}: {error}\n{block}")
    json.dump(answers, sys.stdout)


main()
