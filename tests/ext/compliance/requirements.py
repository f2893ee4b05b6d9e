"""What SQLAlchemy's suite may ask of the dialect: what is closed Delta hasn't, or DataFusion can't."""

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

OPEN = """
    aggregate_order_by array_type boolean_col_expressions check_constraint_reflection comment_reflection
    comment_reflection_full_unicode computed_columns computed_columns_default_persisted
    computed_columns_reflect_persisted create_or_replace_view create_table_as ctes ctes_with_values date_historic
    datetime_historic datetime_literals datetime_timezone datetime_timezone_historic
    emulated_lastrowid except_ expression_server_defaults fetch_expression fetch_first fetch_no_order_by
    float_or_double_precision_behaves_generically identity_columns implicit_default_schema infinity_floats
    inline_check_constraint_reflection intersect isolation_level json_type mod_operator_as_percent_sign nullsordering
    order_by_label_with_expression precision_numerics_enotation_small precision_numerics_many_significant_digits
    precision_numerics_retains_significant_digits reflect_table_options regexp_match regexp_replace
    schema_create_delete server_defaults skip_autocommit_rollback supports_bitwise_and
    supports_bitwise_or supports_bitwise_shift supports_bitwise_xor supports_distinct_on table_ddl_if_exists
    table_value_constructor timestamp_microseconds tuple_in unicode_ddl update_from views
    window_functions window_range window_range_numeric ctes_with_update_delete
"""
CLOSED = {
    "Delta has no keys": """
        duplicate_key_raises_integrity_error foreign_key_constraint_reflection foreign_keys on_update_cascade
        primary_key_constraint_reflection recursive_fk_cascade self_referential_foreign_keys
        unique_constraint_reflection
    """,
    "Delta has no indexes": "index_reflection indexes_with_ascdesc reflect_indexes_with_ascdesc",
    "there are no temporary tables": "temp_table_reflection temporary_tables",
    "DataFusion's results have no two columns of a name": "duplicate_names_in_cursor_description",
    "Delta has no TIME": "time time_implicit_bound time_microseconds",
}


class Requirements(SuiteRequirements):
    """Made of the two lists."""


def _closed(reason: str) -> property:
    return property(lambda self: exclusions.skip_if(lambda: True, reason))


for name in OPEN.split():
    assert hasattr(SuiteRequirements, name), name
    setattr(Requirements, name, property(lambda self: exclusions.open()))
for reason, names in CLOSED.items():
    for name in names.split():
        assert hasattr(SuiteRequirements, name), name
        setattr(Requirements, name, _closed(reason))
