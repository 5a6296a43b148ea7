"""CloudFormation YAML: its tags, and the values its intrinsic functions stand for."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from local.console import LocalCloudError

ACCOUNT_ID = "123456789012"
NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class _Loader(yaml.SafeLoader):
    """A safe loader that turns `!Ref x` into `{"Ref": x}`, as CloudFormation's long form does."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _tagged)


def load(path: Path) -> dict[str, Any]:
    """Return the template at *path* with every tag in its long form, nothing resolved yet."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalCloudError(f"Cannot read {path}: {error.strerror}.") from error
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        raise LocalCloudError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise LocalCloudError(f"{path} is not a CloudFormation template.")
    return document


class Resolver:
    """Resolves intrinsic functions on demand: what nobody asks for need not be supported."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        conditions: Mapping[str, Any],
        references: Callable[[str], str],
        attributes: Callable[[str, str], str],
    ) -> None:
        self._parameters = parameters
        self._conditions = conditions
        self._references = references
        self._attributes = attributes

    def resolve(self, node: Any) -> Any:
        """Return *node* with every intrinsic function replaced by its value."""
        if isinstance(node, list):
            return [value for item in node if (value := self.resolve(item)) is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name in {"Ref", "Condition"} or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:  # noqa: C901, PLR0911 - a case an intrinsic
        match name, argument:
            case "Ref", str(target):
                return self._ref(target)
            case "Fn::GetAtt", [str(target), str(attribute)]:
                return self._attributes(target, attribute)
            case "Fn::Sub", str(text):
                return self._sub(text, {})
            case "Fn::Sub", [str(text), dict(variables)]:
                return self._sub(text, variables)
            case "Fn::If", [str(condition), then, otherwise]:
                return self.resolve(then if self._holds(condition) else otherwise)
            case "Fn::Join", [str(delimiter), list(parts)]:
                return delimiter.join(str(part) for part in self.resolve(parts))
            case "Condition", str(condition):
                return self._holds(condition)
            case "Fn::Equals", [left, right]:
                return self.resolve(left) == self.resolve(right)
            case "Fn::Not", [operand]:
                return not self.resolve(operand)
            case "Fn::And", list(operands):
                return all(self.resolve(operand) for operand in operands)
            case "Fn::Or", list(operands):
                return any(self.resolve(operand) for operand in operands)
        raise LocalCloudError(f"The local cloud cannot resolve {{{name}: {argument}}}.")

    def _ref(self, target: str) -> Any:
        if target == "AWS::NoValue":
            return NO_VALUE
        return self._parameters[target] if target in self._parameters else self._references(target)

    def _sub(self, text: str, variables: Mapping[str, Any]) -> str:
        def value(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.resolve(variables[name]))
            if "." in name:
                return str(self._attributes(*name.split(".", 1)))
            return str(self._ref(name))

        return _PLACEHOLDER.sub(value, text)

    def _holds(self, condition: str) -> bool:
        if condition not in self._conditions:
            raise LocalCloudError(f"The template has no condition {condition}.")
        return bool(self.resolve(self._conditions[condition]))
