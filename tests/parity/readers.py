"""Extracts names from C, C++, Python, Rust and Markdown files, with every offset at which each name occurs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

Found = list[tuple[str, int]]
Reader = Callable[[str], Found]

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def blank(text: str) -> str:
    """C or C++ without its comments, every offset kept."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def matches(pattern: str, name: str = r"\1", *, code: bool = False) -> Reader:
    """Every match of a pattern. The name is made of its groups, and stands where the first one begins."""
    compiled = re.compile(pattern, re.MULTILINE)

    def read(text: str) -> Found:
        return [(found.expand(name), found.start(1)) for found in compiled.finditer(blank(text) if code else text)]

    return read


def within(begin: str, end: str, reader: Reader) -> Reader:
    """What another reader finds between the first match of `begin` and the next of `end`."""
    first, last = re.compile(begin, re.MULTILINE), re.compile(end, re.MULTILINE)

    def read(text: str) -> Found:
        start = first.search(text)
        if start is None:
            return []
        stop = last.search(text, start.end())
        inner = text[start.end() : stop.start() if stop else len(text)]
        return [(name, start.end() + offset) for name, offset in reader(inner)]

    return read


def before(mark: str, reader: Reader) -> Reader:
    """What another reader finds in the comment that stands before `mark`."""

    def read(text: str) -> Found:
        end = text.find(mark)
        start = text.rfind("/**", 0, end)
        return [(name, start + offset) for name, offset in reader(text[start:end])] if end >= 0 <= start else []

    return read


def above(item: str, reader: Reader) -> Reader:
    """What another reader finds in the documentation of a Rust item that a pattern finds."""
    return within(rf"(?=(?:^ *///.*\n)+ *{item})", rf"^ *{item}", reader)


def block(opening: str, reader: Reader) -> Reader:
    """What another reader finds between the braces that follow a pattern, comments and private members left out."""
    begin = re.compile(opening + r"[^;{]*\{")
    private = re.compile(r"\bprivate:.*?(?=\b(?:public|protected):|\Z)", re.DOTALL)

    def read(text: str) -> Found:
        code = blank(text)
        start = begin.search(code)
        if start is None:
            return []
        depth, end = 1, start.end()
        while depth and end < len(code):
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        shown = private.sub(lambda found: " " * len(found.group()), code[start.end() : end - 1])
        return [(name, start.end() + offset) for name, offset in reader(shown)]

    return read


def struct(name: str, reader: Reader) -> Reader:
    """What another reader finds in a C struct of this name, comments left out."""

    def read(text: str) -> Found:
        code = blank(text)
        end = re.search(rf"\}}\s*{name};", code)
        start = code.rfind("typedef struct", 0, end.start()) if end else -1
        return [(found, start + offset) for found, offset in reader(code[start : end.start()])] if end else []

    return read


def table(heading: str, column: int, pattern: str, name: str = r"\1") -> Reader:
    """What a pattern finds in one column of the first table below a heading, from its third line on."""
    compiled = re.compile(pattern)

    def read(text: str) -> Found:
        found: Found = []
        start = re.search(rf"^#+ {re.escape(heading)}$", text, re.MULTILINE)
        rows = 0
        for line in re.finditer(r"^.*$", text[start.end() :] if start else "", re.MULTILINE):
            if not line[0].startswith("|"):
                if rows:
                    break
                continue
            rows += 1
            if rows > 2 and start is not None:
                # A bar inside a cell is escaped.
                cells = [cell.start() + 1 for cell in re.finditer(r"(?<!\\)\|", line[0])]
                cell = line[0][cells[column] : cells[column + 1] - 1] if column >= 0 else line[0]
                base = start.end() + line.start() + (cells[column] if column >= 0 else 0)
                found += [(one.expand(name), base + one.start(1)) for one in compiled.finditer(cell)]
        return found

    return read


# --- Python -----------------------------------------------------------------------------------------------------------


def python(find: Callable[[ast.Module], Iterator[tuple[str, ast.AST, int]]]) -> Reader:
    """What `find` yields of a module: a name, where it stands, and how many characters behind the node's beginning."""

    def read(text: str) -> Found:
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        lines = text.splitlines()

        def offset(node: ast.AST) -> int:
            line: int = node.lineno - 1  # type: ignore[attr-defined]
            # Offsets in UTF-8 bytes, as the parser counts.
            columns: int = node.col_offset  # type: ignore[attr-defined]
            return starts[line] + len(lines[line].encode()[:columns].decode())

        return [(name, offset(node) + more) for name, node, more in find(ast.parse(text))]

    return read


def _scope(module: ast.Module, path: str) -> Iterator[ast.AST]:
    """The definitions of this dotted name."""
    scopes: list[ast.AST] = [module]
    for part in path.split("."):
        scopes = [node for scope in scopes for node in ast.iter_child_nodes(scope) if getattr(node, "name", "") == part]
    yield from scopes


def keywords(function: str) -> Reader:
    """The parameters of a function, `self` left out."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in _scope(module, function):
            assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            listed = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield from ((arg.arg, arg, 0) for arg in listed if arg.arg not in ("self", "cls"))

    return python(find)


def annotated(function: str, annotation: str) -> Reader:
    """The keywords of a function that have this annotation."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in _scope(module, function):
            assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            for arg in node.args.kwonlyargs:
                if arg.annotation is not None and ast.unparse(arg.annotation) == annotation:
                    yield arg.arg, arg, 0

    return python(find)


def keys(function: str) -> Reader:
    """The keys of the dicts that stand in a function or a class."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in _scope(module, function):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict):
                    yield from _texts(inner.keys)

    return python(find)


def _texts(nodes: list[ast.expr] | list[ast.expr | None]) -> Iterator[tuple[str, ast.AST, int]]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node, 1


def fields(cls: str) -> Reader:
    """What a class's body annotates."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in _scope(module, cls):
            for item in ast.iter_child_nodes(node):
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    yield item.target.id, item, 0

    return python(find)


def methods(*classes: str, private: bool = False) -> Reader:
    """The methods and properties of classes; of those with several definitions, each."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for cls in classes:
            for node in _scope(module, cls):
                for item in ast.iter_child_nodes(node):
                    if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        if private or not item.name.startswith("_"):
                            yield item.name, item, len("async def " if isinstance(item, ast.AsyncFunctionDef) else "def ")

    return python(find)


def classes() -> Reader:
    """The public classes of a module."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, node, len("class ")

    return python(find)


def assigned(name: str) -> Reader:
    """The texts of the list, the keys of the dict or the words of the `Literal` that a name is assigned."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in module.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if not any(isinstance(target, ast.Name) and target.id == name for target in targets):
                continue
            for inner in ast.walk(node):
                if isinstance(inner, ast.List):
                    yield from _texts(inner.elts)
                elif isinstance(inner, ast.Dict):
                    yield from _texts(inner.keys)
                elif isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Tuple):
                    yield from _texts(inner.slice.elts)

    return python(find)


def imported(module_name: str | None = None) -> Reader:
    """The public names that a module imports, from one other or from all."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in module.body:
            if isinstance(node, ast.ImportFrom) and module_name in (None, node.module):
                for alias in node.names:
                    public = alias.asname or alias.name
                    if not public.startswith("_") or public.startswith("__"):
                        more = len(f"{alias.name} as ") if alias.asname else 0
                        yield public, alias, more

    return python(find)


def doc_words(scope: str) -> Reader:
    """What a docstring has in backquotes, or beginning so."""

    def find(module: ast.Module) -> Iterator[tuple[str, ast.AST, int]]:
        for node in _scope(module, scope):
            body = getattr(node, "body", [])
            if body and isinstance(body[0], ast.Expr):
                yield "", body[0], 0

    def read(text: str) -> Found:
        found: Found = []
        for _, start in python(find)(text):
            end = text.index('"""', start + 3)
            found += [(one[1], start + one.start(1)) for one in re.finditer(r"`(\w+)", text[start:end])]
        return found

    return read
