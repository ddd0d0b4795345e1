"""The client for threads, whose names chaosgate has itself. All but this file and transport.py is generated from chaosgate.aio."""

from .client import Client
from .flow import Flow, Imposed
from .gate import Conn, Gate
from .recovery import recovers

__all__ = ["Client", "Conn", "Flow", "Gate", "Imposed", "recovers"]
