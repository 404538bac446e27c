"""The same endpoints without any history: what the API is measured beside.

As a good team would write them: Flask, SQLAlchemy 2, marshmallow, indexed tables, verified tokens.
"""
