"""Sessions for agents, over the Model Context Protocol: handles of sessions and pages, and never what is in them. `handstamp mcp` runs it.

A face: tools with typed input and output read a call, use the pool, and answer. It needs the extra ``mcp``.
"""

from handstamp.mcp.settings import McpSettings, mcp_settings

__all__ = ["McpSettings", "mcp_settings"]
