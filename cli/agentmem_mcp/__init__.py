"""The MCP server: the memory of an agent as five tools, over stdin and stdout.

`start` answers what a client asks first from recorded answers, with the standard library alone, while the SDK is
imported; then `session` hands the conversation over to it.
"""
