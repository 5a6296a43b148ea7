"""What the resource API promises: shapes and operations, of which the OpenAPI document is made.

Nothing here is imported where requests are served: those are checked against the document.
"""
