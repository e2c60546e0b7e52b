"""HTTP as a component's author needs it: one exchange, whose errors are told in words."""

from batchrun.components.web.exchange import Request, Response, exchange

__all__ = ["Request", "Response", "exchange"]
