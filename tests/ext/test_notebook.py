"""The magic of notebooks, in a real shell."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from IPython.core.error import UsageError

import deltasql


def test_a_line_and_a_cell_show_the_last_result(value):
    assert value("%deltasql SELECT 1 AS a, 'b' AS b").fetchall() == [(1, "b")]
    assert value("%%deltasql\nCREATE TABLE t AS SELECT 1 AS a;\nSELECT 2 AS b;\nSELECT * FROM t;\n").fetchall() == [
        (1,)
    ]
    assert value("%deltasql SELECT 1 AS a;").fetchall() == [(1,)]
    written = value("%deltasql INSERT INTO t VALUES (2), (3)")
    assert (written.version, written.fetchall()) == (1, [(2, 2)])


def test_a_result_is_an_escaped_table_in_a_notebook(shell, value):
    result = value("%deltasql SELECT '<script>' AS \"<b>\"")
    shown, _ = shell.display_formatter.format(result)
    assert "&lt;script&gt;" in shown["text/html"]
    assert "&lt;b&gt;" in shown["text/html"]
    assert "<script>" not in shown["text/html"]
    assert "<script>" in shown["text/plain"]


def test_what_gives_nothing_shows_nothing(value):
    assert value("%deltasql -- a comment") is None
    assert value("%%deltasql\n-- a comment\n;") is None
    assert value("%%deltasql\n\n") is None


def test_text_reaches_the_engine_as_it_is_written(value):
    value("a, x = 'WRONG', 'WRONG'")
    assert value("%deltasql SELECT '$a {x} %s' AS \"a?\", 1 != 2 AS b").fetchall() == [("$a {x} %s", True)]
    assert value("%%deltasql\nSELECT '$a' || '''{x}' AS c -- $a :x ?\n").fetchall() == [("$a'{x}",)]


def test_parameters_are_variables(value):
    value('n, name = 2, "it\'s; DROP"')
    assert value("%deltasql SELECT $n + :n AS n, $name AS name").fetchall() == [(4, "it's; DROP")]
    cell = "%%deltasql\nCREATE TABLE t (a INT);\nINSERT INTO t VALUES ($n);\nSELECT a FROM t WHERE a = $n"
    assert value(cell).fetchall() == [(2,)]
    assert value("%deltasql --dialect databricks SELECT `a` FROM VALUES (2), (3) AS v(a) WHERE a = :n").fetchall() == [
        (2,)
    ]


def test_frames_are_tables_by_the_names_of_their_variables(value):
    value(
        "import pandas as pd, polars as pl, pyarrow as pa\ndf = pd.DataFrame({'a': [1, 2]})\np = pl.DataFrame({'a': [2]})"
    )
    assert value("%deltasql SELECT df.a FROM df JOIN p USING (a)").fetchall() == [(2,)]
    assert value("%deltasql SELECT count(*) AS n FROM $df").fetchall() == [(2,)]
    value("%deltasql CREATE TABLE df AS SELECT 7 AS a")
    assert value("%deltasql SELECT a FROM df").fetchall() == [(7,)]  # tables win
    value("%deltasql first << SELECT 1 AS a")
    assert value("%deltasql SELECT a + 1 AS b FROM first").fetchall() == [(2,)]


def test_a_function_has_its_own_variables(value):
    source = "import pandas as pd\nk = 1\ndef f():\n    mine, k = pd.DataFrame({'a': [1, 5]}), 5\n    x = %deltasql SELECT a FROM mine WHERE a = $k\n    return x\nf()"
    assert value(source).fetchall() == [(5,)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("--into kept", deltasql.Result),
        ("kept <<", deltasql.Result),
        ("kept<<", deltasql.Result),
        ("--as pandas kept <<", pd.DataFrame),
        ("--into=kept --as=polars", pl.DataFrame),
        ("--as 'arrow' --into \"kept\"", pa.Table),
    ],
)
def test_a_result_is_kept_in_a_variable(value, shell, line: str, kind: type[Any]):
    assert value(f"%deltasql {line} SELECT 1 AS a") is None
    assert isinstance(shell.user_ns.pop("kept"), kind)
    assert value(f"%%deltasql {line}\nSELECT 1 AS a") is None
    assert isinstance(shell.user_ns["kept"], kind)


def test_an_assignment_takes_the_result(value, shell):
    value("taken = %deltasql SELECT 1 AS a")
    assert shell.user_ns["taken"].fetchall() == [(1,)]


def test_a_variable_stays_where_the_statement_fails(run, value, shell):
    value("kept = 1")
    assert isinstance(run("%deltasql kept << SELECT * FROM nowhere").error_in_exec, deltasql.TableNotFound)
    assert shell.user_ns["kept"] == 1


# -- connections


def test_the_root_is_opened_once_and_stays(value, tmp_path):
    assert str(value("%deltasql").root) == str(tmp_path / "lake")
    value(f"%deltasql --root {tmp_path / 'other'} CREATE TABLE o AS SELECT 1 AS a")
    assert value("%deltasql SELECT a FROM o").fetchall() == [(1,)]
    assert (tmp_path / "other" / "o" / "_delta_log").is_dir()


def test_a_root_of_nothing_is_a_temporary_one(value):
    value("%deltasql --close")
    value("%deltasql CREATE TABLE t AS SELECT 1 AS a")
    assert value("%deltasql SELECT a FROM t").fetchall() == [(1,)]


def test_a_read_only_root(value, run, tmp_path):
    value(f"%deltasql --root {tmp_path / 'lake'} --read-only")
    done = run("%deltasql CREATE TABLE t (a INT)")
    assert isinstance(done.error_in_exec, deltasql.Error)
    assert "read-only" in str(done.error_in_exec)


def test_a_connection_of_the_notebooks_own_is_used_and_left_open(value, shell):
    value("import deltasql\ncon = deltasql.connect()\n_ = con.sql('CREATE TABLE mine AS SELECT 1 AS a')")
    assert value("%deltasql --connection con SELECT a FROM mine").fetchall() == [(1,)]
    assert value("%deltasql SELECT a FROM mine").fetchall() == [(1,)]
    value("%deltasql --close")
    assert value("con.sql('SELECT a FROM mine').fetchall()") == [(1,)]
    value("con.close()")


def test_unloading_closes(value, shell):
    con = value("%deltasql")
    shell.extension_manager.reload_extension("deltasql.ext.notebook")
    with pytest.raises(deltasql.ClosedError):
        con.sql("SELECT 1")
    assert value("%deltasql") is not con


# -- errors


def test_an_error_is_words_and_no_traceback(run, value, capsys):
    value("%deltasql CREATE TABLE t AS SELECT 1 AS a")
    capsys.readouterr()
    done = run("%%deltasql\nSELECT 1 AS a;\nSELECT *\nFROM nowhere\n")
    assert isinstance(done.error_in_exec, deltasql.TableNotFound)
    assert capsys.readouterr().out.splitlines() == [
        "error: there is no table `nowhere`",
        "  3 | FROM nowhere",
        "    |      ^^^^^^^",
    ]


def test_what_stood_before_an_error_is_done(run, value):
    run("%%deltasql\nCREATE TABLE t AS SELECT 1 AS a;\nSELECT b FROM t;\nDROP TABLE t")
    assert value("%deltasql SELECT a FROM t").fetchall() == [(1,)]


def test_what_goes_wrong_in_reading_is_the_cells_error(run, capsys):
    done = run("%deltasql SELECT CAST(a AS INT) AS a FROM (VALUES ('1'), ('x')) AS v(a)")
    assert isinstance(done.error_in_exec, deltasql.Error)
    assert "Traceback" not in capsys.readouterr().out


def test_a_function_that_fails_is_shown_where(run, value, capsys):
    value("def worst(n):\n    return 1 / n")
    value("%deltasql").create_function("worst", value("worst"), ["BIGINT"], "DOUBLE")
    capsys.readouterr()
    done = run("%deltasql SELECT worst(0) AS w")
    shown = capsys.readouterr().out
    assert isinstance(done.error_in_exec, deltasql.OperationalError)
    assert "return 1 / n" in shown
    assert "ZeroDivisionError" in shown
    assert "run_line_magic" not in shown


def test_a_small_result_is_read_once(value, shell):
    called = []
    value("%deltasql").create_function("counted", lambda n: called.append(n) or n, ["BIGINT"], "BIGINT")
    result = value("%%deltasql\nSELECT counted(a) AS a FROM (VALUES (1), (2)) AS v(a)")
    before = list(called)
    shell.display_formatter.format(result)
    assert result.fetchall() == [(1,), (2,)]
    assert called == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--nothing x", "no option `--nothing`"),
        ("--nothing=x", "no option `--nothing`"),
        ("--", "no option `--`"),
        ("--root", "--root wants a value"),
        ("--into 1x SELECT 1", "`1x` can't be the name"),
        ("--into class SELECT 1", "`class` can't be the name"),
        ("--into x --as excel SELECT 1", "there are arrow, pandas, polars"),
        ("--as pandas SELECT 1", "--as goes with --into"),
        ("--read-only SELECT 1", "--read-only goes with --root"),
    ],
)
def test_a_wrong_line_is_told_in_a_sentence(run, capsys, line: str, words: str):
    done = run(f"%deltasql {line}")
    assert isinstance(done.error_in_exec, UsageError)
    assert words in str(done.error_in_exec)
    assert "Traceback" not in capsys.readouterr().out


def test_a_cell_has_its_sql_below_its_first_line(run):
    done = run("%%deltasql SELECT 1\nSELECT 2")
    assert isinstance(done.error_in_exec, UsageError)
    assert "second line" in str(done.error_in_exec)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("SELECT $missing", "there is no variable `missing`"),
        ("SELECT ?", "parameters of a cell have names"),
        ("SELECT $1", "parameters of a cell have names"),
        ("--connection missing SELECT 1", "there is no variable `missing`"),
        ("--connection number SELECT 1", "no connection of deltasql's is in `number`"),
        ("--dialect klingon SELECT 1", "klingon"),
        ("--profile missing SELECT 1", "missing"),
        ("SELECT $thing", "thing"),
    ],
)
def test_a_wrong_name_is_told_in_a_sentence(run, value, capsys, line: str, words: str):
    value("number, thing = 1, object()")
    done = run(f"%deltasql {line}")
    assert isinstance(done.error_in_exec, deltasql.Error)
    assert words in str(done.error_in_exec)
    assert "Traceback" not in capsys.readouterr().out


def test_nothing_of_deltasqls_imports_it():
    script = "import sys, deltasql; deltasql.connect().close(); sys.exit('IPython' in sys.modules or 'deltasql.ext' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
