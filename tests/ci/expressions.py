"""The expressions of GitHub workflows, as far as this project's own use them.

Literals in single quotes, contexts (`inputs.study`), `==`, `!=`, `&&`, `||`, `!`, parentheses, and `always()`.
"""

import re

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.-]*)|(\d+)|(==|!=|&&|\|\||[!()]))")


class Expression:
    """One expression; evaluated by descent, the loosest operator first."""

    def __init__(self, text, contexts):
        self.contexts = contexts
        self.tokens = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            assert match, f"not understood: {text[place:]!r}"
            self.tokens.append(match.group().strip())
            place = match.end()

    def value(self):
        found = self._either()
        assert not self.tokens, f"left over: {self.tokens}"
        return found

    def _next(self, *wanted):
        if self.tokens and self.tokens[0] in wanted:
            return self.tokens.pop(0)
        return None

    def _either(self):
        found = self._both()
        while self._next("||"):
            other = self._both()
            found = found or other
        return found

    def _both(self):
        found = self._compared()
        while self._next("&&"):
            other = self._compared()
            found = other if found else found
        return found

    def _compared(self):
        found = self._single()
        while operator := self._next("==", "!="):
            found = (found == self._single()) is (operator == "==")
        return found

    def _single(self):
        if self._next("!"):
            return not self._single()
        if self._next("("):
            found = self._either()
            assert self._next(")")
            return found
        word = self.tokens.pop(0)
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        if word.isdigit():
            return int(word)
        if self._next("("):
            assert self._next(")"), "only functions without arguments are used"
            return self.contexts["functions"][word]
        return self._looked_up(word)

    def _looked_up(self, word):
        """A context's value, '' where it has none, as on GitHub; an unknown context is a mistake."""
        first, *rest = word.split(".")
        found = self.contexts[first]
        for key in rest:
            found = found.get(key, "") if isinstance(found, dict) else ""
        return found


def filled(text, contexts):
    """A value of a workflow with its `${{ }}` replaced."""
    if not isinstance(text, str):
        return {True: "true", False: "false"}.get(text, str(text))
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: str(Expression(match[1], contexts).value()), text)


def holds(condition, contexts, success):
    """Whether a step runs: an `if` without a status function also wants every step before it to have succeeded."""
    inside = str(condition).removeprefix("${{").removesuffix("}}")
    asked = re.search(r"\b(always|failure|cancelled)\(", inside)
    functions = {"always": True, "success": success, "failure": not success}
    return bool(Expression(inside, {**contexts, "functions": functions}).value()) and (bool(asked) or success)
