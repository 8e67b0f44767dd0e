#!/usr/bin/env python3
"""Turns a file into a C++ source that holds its bytes as text. usage: embed.py FILE NAME OUTPUT"""
import pathlib
import sys

PIECE = 8000  # a string literal longer than 65,535 bytes is more than compilers must take


def main(file, name, output):
    text = pathlib.Path(file).read_text(encoding="utf-8")
    assert ')text"' not in text
    pieces = [text[i:i + PIECE] for i in range(0, len(text), PIECE)]
    literals = "\n".join(f'    R"text({piece})text"sv,' for piece in pieces)
    pathlib.Path(output).write_text(
        f'// Made from {pathlib.Path(file).name}.\n#include "kadsim/report_page.h"\n\n'
        "namespace kadmesh::kadsim {\nusing namespace std::string_view_literals;\n"
        f"const std::array<std::string_view, {len(pieces)}> {name}_pieces{{\n{literals}\n}};\n"
        f"const std::span<const std::string_view> {name} = {name}_pieces;\n"
        "}  // namespace kadmesh::kadsim\n", encoding="utf-8")


main(*sys.argv[1:])
