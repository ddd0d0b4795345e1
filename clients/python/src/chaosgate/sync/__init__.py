"""The client for threads, whose names chaosgate has itself. All but this file and transport.py is generated from chaosgate.aio."""

from .client import Client
from .events import Events
from .flow import Flow, Imposed
from .gate import Conn, Gate
from .hold import Hold
from .recovery import recovers

__all__ = ["Client", "Conn", "Events", "Flow", "Gate", "Hold", "Imposed", "recovers"]
