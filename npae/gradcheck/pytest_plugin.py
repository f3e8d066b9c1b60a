"""A pytest plugin with the fixture ``gradcheck``; pytest finds it where npae is installed."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from npae.gradcheck.assertion import assert_gradient, assert_passed
from npae.gradcheck.hvp import check_hvp
from npae.gradcheck.jvp import check_jvp
from npae.gradcheck.layer import check_layer
from npae.gradcheck.model import check_model
from npae.gradcheck.report.report import Report
from npae.gradcheck.scalar import check_grad


class Gradcheck:
    """Gradient checks that fail the test with their report; each takes what the function of that name takes."""

    def __call__(
        self, f: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[Any], **options: Any
    ) -> Report:
        """``check(f, backward, inputs)``."""
        __tracebackhide__ = True
        return assert_gradient(f, backward, inputs, **options)

    def grad(self, f: Callable[..., Any], grad: Callable[..., Any], x: Any, *args: Any, **options: Any) -> Report:
        """``check_grad(f, grad, x, *args)``."""
        __tracebackhide__ = True
        return assert_passed(check_grad(f, grad, x, *args, **options))

    def jvp(self, f: Callable[..., Any], jvp: Callable[..., Any], inputs: Sequence[Any], **options: Any) -> Report:
        """``check_jvp(f, jvp, inputs)``."""
        __tracebackhide__ = True
        return assert_passed(check_jvp(f, jvp, inputs, **options))

    def hvp(
        self,
        f: Callable[..., Any],
        grad: Callable[..., Any],
        hvp: Callable[..., Any],
        x: Any,
        *args: Any,
        **options: Any,
    ) -> Report:
        """``check_hvp(f, grad, hvp, x, *args)``."""
        __tracebackhide__ = True
        return assert_passed(check_hvp(f, grad, hvp, x, *args, **options))

    def layer(self, layer: Any, input_shape: Any, **options: Any) -> Report:
        """``check_layer(layer, input_shape)``."""
        __tracebackhide__ = True
        return assert_passed(check_layer(layer, input_shape, **options))

    def model(self, model: Any, x: Any, **options: Any) -> Report:
        """``check_model(model, x)``."""
        __tracebackhide__ = True
        return assert_passed(check_model(model, x, **options))


@pytest.fixture
def gradcheck() -> Gradcheck:
    """Check hand-written gradients: ``gradcheck(f, backward, [x])``, ``gradcheck.grad(loss, gradient, x)``."""
    return Gradcheck()
