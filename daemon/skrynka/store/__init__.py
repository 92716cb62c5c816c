"""The database: tables, migrations, and the functions that ask and tell it. Typed values in and out, never rows."""
