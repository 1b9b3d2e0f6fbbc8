"""The packages of clients/ are made as each language makes them, from a copy of
the sources and without a network, and what is in them can be used."""

import os
import shutil
import subprocess
import sys

from common import check, done, equal

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../clients")
WORK = os.path.join(os.environ["TESTDIR"], "packages")
shutil.copytree(SOURCES, WORK + "/clients")


def run(step, *command, cwd="", **env):
    """What it prints"""
    ran = subprocess.run(command, cwd=WORK + "/clients/" + cwd,
                         env=dict(os.environ, **env), text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(step, ran.returncode == 0, ran.stdout)
    return ran.stdout.strip()


run("pip install", sys.executable, "-m", "pip", "install", "--quiet",
    "--no-index", "--no-build-isolation", "--no-deps", "--no-warn-script-location",
    "--target", WORK + "/python", "./python")
equal("Python: what was installed", run(
    "Python: import", sys.executable, "-c",
    "import pgpool_stats; print(pgpool_stats.__version__, pgpool_stats.watch.__name__)",
    PYTHONPATH=WORK + "/python"), "1.0 watch")

check("Python: the exporter", os.path.exists(
    WORK + "/python/pgpool_stats_otel.py"))

packed = run("npm pack", "npm", "pack", "--silent", "--offline", cwd="node")
run("npm: unpack", "tar", "xzf", packed.split()[-1], "-C", WORK, cwd="node")
equal("npm: what is in it", sorted(os.listdir(WORK + "/package")),
      ["otel.js", "package.json", "pgpool-stats.js", "slonik.js"])
equal("Node: require", run(
    "Node: require", "node", "-p", "typeof require('%s/package').watch" % WORK),
    "function")

run("gem build", "gem", "build", "--quiet", "pgpool_stats.gemspec", "--output",
    WORK + "/pgpool_stats.gem", cwd="ruby")
run("gem install", "gem", "install", "--quiet", "--local", "--no-document",
    "--ignore-dependencies", "--install-dir", WORK + "/gems",
    WORK + "/pgpool_stats.gem")
equal("Ruby: require", run(
    "Ruby: require", "ruby", "-e",
    'require "pgpool_stats"; puts $LOADED_FEATURES.grep(/pgpool_stats/).first'
    '.start_with?(ENV["GEM_PATH"].split(":").first)', RUBYLIB="",
    GEM_PATH=WORK + "/gems:" + run("gem path", "gem", "environment", "gempath")),
    "true")

# the two other directories need pgx
run("go build", "go", "build", ".", cwd="go", GO111MODULE="on", GOPROXY="off",
    GOFLAGS="-mod=mod")
run("javac", "javac", "-d", WORK + "/java", "java/PgpoolStats.java")
run("php", "php", "-l", "php/pgpool_stats.php")
done()
