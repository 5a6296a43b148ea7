"""What `sam build` made: it is complete, it is ours, and Python takes its bytecode as it is."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
from bench.built import BUILD
from local import intrinsics
from local.template import Function, Template, read
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LAMBDA_LIMIT = 250 * 1024 * 1024  # bytes, of a function and its layers unzipped
HASH_BASED_UNCHECKED = 0b01
ZIP_EPOCH = 315532800  # 1980-01-01, the time of every file in a zip that does not say
# No site, no environment, no working directory: the path is what Lambda's is, and nothing else.
IMPORT = """\
import importlib, sys
module, _, name = sys.argv[1].rpartition(".")
sys.path[:0] = sys.argv[2:]
assert callable(getattr(importlib.import_module(module), name))
"""

SOURCES = read(ROOT / "template.yaml", {})
FUNCTIONS = sorted(SOURCES.functions)
STALE = "the sources have changed since: run `make build`"


def folders(function: Function) -> list[Path]:
    return [function.code, *function.layers]


def import_handler(
    function: Function, path: list[Path], *options: str
) -> subprocess.CompletedProcess[str]:
    """Import a handler in a process of its own, with nothing but *path* beside Python itself."""
    aws = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(
        [sys.executable, "-I", "-S", *options, "-c", IMPORT, function.handler, *map(str, path)],
        env={**aws, **function.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_handler_imports_from_its_artefact_alone(runnable: Template, name: str) -> None:
    function = runnable.functions[name]

    imported = import_handler(function, folders(function))

    assert imported.returncode == 0, imported.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_python_compiles_nothing_after_the_timestamps_of_a_lambda_zip(
    runnable: Template, name: str, tmp_path: Path
) -> None:
    function = runnable.functions[name]
    unzipped = [tmp_path / str(number) for number, _ in enumerate(folders(function))]
    for source, target in zip(folders(function), unzipped, strict=True):
        shutil.copytree(source, target)
    for file in tmp_path.rglob("*"):
        os.utime(file, (ZIP_EPOCH, ZIP_EPOCH))

    imported = import_handler(function, unzipped, "-v")

    lines = [line for line in imported.stderr.splitlines() if line.startswith("# code object from")]
    loaded = [line.strip("'") for line in lines if str(tmp_path) in line]
    assert loaded, imported.stderr
    assert [line for line in loaded if not line.endswith(".pyc")] == []


@pytest.mark.usefixtures("built")
def test_every_source_has_bytecode_that_is_valid_whatever_its_timestamp() -> None:
    sources = list(BUILD.rglob("*.py"))

    assert sources
    assert {path: why for path in sources if (why := invalid(path))} == {}
    assert len(list(BUILD.rglob("*.pyc"))) == len(sources), "bytecode without a source"


def invalid(source: Path) -> str | None:
    """Return why Python, or a reader of its tracebacks, would refuse the bytecode of *source*."""
    bytecode = Path(importlib.util.cache_from_source(str(source)))
    if not bytecode.exists():
        return f"{bytecode.name} is not there"
    content = bytecode.read_bytes()
    if content[:4] != importlib.util.MAGIC_NUMBER:
        return "of another Python"
    if int.from_bytes(content[4:8], "little") != HASH_BASED_UNCHECKED:
        return "not an unchecked hash"
    if content[8:16] != importlib.util.source_hash(source.read_bytes()):
        return "of another source"
    if str(BUILD).encode() in content:
        return "names the folder it was built in"
    return None


@pytest.mark.usefixtures("built")
def test_the_build_is_for_the_python_that_runs_these_tests() -> None:
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"

    layer = intrinsics.load(BUILD / "template.yaml")["Resources"]["VitalsLayer"]

    assert layer["Metadata"]["BuildMethod"] == python


def test_the_build_is_of_these_sources(built: Template) -> None:
    for name, source in SOURCES.functions.items():
        function = built.functions[name]
        made, ours = dict(contents(function.code)), dict(contents(source.code))
        assert {path: content for path, content in made.items() if path in ours} == ours, STALE
        if not has_packages(source):
            assert made.keys() == ours.keys(), STALE
        for here, there in zip(function.layers, source.layers, strict=True):
            assert dict(contents(here / "vitals")) == dict(contents(there / "vitals")), STALE


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield str(file.relative_to(folder)), file.read_bytes()


def has_packages(function: Function) -> bool:
    """Return whether a function has packages of its own, beside the layer's."""
    return (function.code / "requirements.txt").exists()


def locked(lock: Path) -> dict[str, str]:
    """Return the version of each package that a lock file asks for here."""
    text = lock.read_text(encoding="utf-8")
    lines = re.findall(r"^(\w[^\\\n]*==[^\\\n]*)", text, re.MULTILINE)
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in (Requirement(line.strip()) for line in lines)
        if one.marker is None or one.marker.evaluate()
    }


def installed(folder: Path) -> dict[str, str]:
    """Return the version of each package that lies in *folder*."""
    return {canonicalize_name(d.name): d.version for d in distributions(path=[str(folder)])}


def test_the_layer_holds_what_is_locked_and_nothing_else(built: Template) -> None:
    [layer] = {layer for function in built.functions.values() for layer in function.layers}

    assert installed(layer) == locked(ROOT / "layers/vitals/python/requirements.txt")


def test_two_functions_have_packages_of_their_own_and_the_others_none(built: Template) -> None:
    """What sets type, and what checks requests, is large: no other function may pay for it."""
    assert [name for name in FUNCTIONS if has_packages(SOURCES.functions[name])] == [
        "ReportsFunction",
        "RestFunction",
    ]
    for name, source in SOURCES.functions.items():
        lock = source.code / "requirements.txt"
        wanted = locked(lock) if has_packages(source) else {}
        assert installed(built.functions[name].code) == wanted, STALE


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_and_its_layer_stay_under_what_lambda_takes(built: Template, name: str) -> None:
    files = [file for folder in folders(built.functions[name]) for file in folder.rglob("*")]
    size = sum(file.stat().st_size for file in files)

    print(f"\n{name} with its layer: {size / 1024 / 1024:.1f} MB of 250 MB")
    assert size < LAMBDA_LIMIT
