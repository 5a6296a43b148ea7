"""What `sam build` made, laid out as in Lambda."""

from dataclasses import replace
from pathlib import Path

from local.template import Template, read

BUILD = Path(__file__).parents[1] / ".aws-sam" / "build"


def built_template() -> Template:
    """Return the built template. Raises FileNotFoundError if nothing is built."""
    path = BUILD / "template.yaml"
    if not path.exists():
        raise FileNotFoundError("nothing is built: run `make build`")
    template = read(path, {})
    # In what SAM built, as in Lambda, a layer's packages are one folder further down.
    functions = {
        name: replace(function, layers=tuple(layer / "python" for layer in function.layers))
        for name, function in template.functions.items()
    }
    return replace(template, functions=functions)
