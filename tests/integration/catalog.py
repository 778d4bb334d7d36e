"""What a database consists of, in PostgreSQL's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_COLUMNS = """
    SELECT concat_ws(' ', 'column', attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod),
                     CASE WHEN attnotnull THEN 'not null' END, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped
"""
_CONSTRAINTS = """
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
"""
_INDEXES = "SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'"
_TYPES = """
    SELECT concat_ws(' ', 'enum', enumtypid::regtype, string_agg(enumlabel, ', ' ORDER BY enumsortorder))
    FROM pg_enum GROUP BY enumtypid
"""
_SEQUENCES = "SELECT 'sequence ' || sequencename FROM pg_sequences WHERE schemaname = 'public'"


async def catalog(engine: AsyncEngine) -> set[str]:
    """Describe every column, constraint, index, enumeration and sequence of a database, a line each.

    Args:
        engine: To the database.

    Returns:
        The lines, without Alembic's own table; two databases that differ only in the order of columns give the same.
    """
    query = text(" UNION ALL ".join((_COLUMNS, _CONSTRAINTS, _INDEXES, _TYPES, _SEQUENCES)))
    async with engine.connect() as connection:
        return {line for line in (await connection.scalars(query)).all() if "alembic_version" not in line}
