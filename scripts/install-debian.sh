#!/bin/sh
# Installs the real peers that tests (and, given the word "bench", benchmarks)
# start: install-debian.sh [bench].
#
# A peer counts as present when its binaries are there, wherever they came
# from, and then nothing is installed. Without root, without apt-get or without
# a network, this says what is missing and which tests that skips, and exits 0:
# a test whose peer is missing skips itself with the same reason.
set -eu
PATH=$PATH:/usr/sbin:/sbin

packages=
report=

# need PACKAGES LOSS notes packages to install and what is lost without them.
need() {
	packages="$packages $1"
	report="$report
  $1: $2"
}

have() { command -v "$1" >/dev/null 2>&1; }

# have_postgres is true when one PostgreSQL version has all that tests start.
# Debian keeps these binaries out of the PATH.
have_postgres() {
	for bin in /usr/lib/postgresql/*/bin; do
		if [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && [ -x "$bin/pgbench" ]; then
			return 0
		fi
	done
	return 1
}

have_nginx_stream() { have nginx && [ -e /usr/lib/nginx/modules/ngx_stream_module.so ]; }

# have_python is true when Debian's Python has a module.
have_python() { /usr/bin/python3 -c "import $1" 2>/dev/null; }

have "${CC:-gcc}" || need "gcc libc6-dev" "the race detector is off"
have_postgres || need postgresql "tests against a real PostgreSQL are skipped"
have redis-server || need redis-server "tests against a real Redis are skipped"
# The package dnsmasq would start a service; its base has the binary alone.
have dnsmasq || need dnsmasq-base "tests of dig against a real dnsmasq are skipped"
have dig || need bind9-dnsutils "tests of dig against a real dnsmasq are skipped"
have_python pytest || need python3-pytest "tests of the Python package are skipped"
have_python pytest_asyncio || need python3-pytest-asyncio "tests of the pytest plugin beside pytest-asyncio, and of chaosgate.userver, are skipped"
have_python psycopg2 || need python3-psycopg2 "the worked example over a real PostgreSQL is skipped"
have_python xdist || need python3-pytest-xdist "tests of the pytest plugin beside pytest-xdist are skipped"
{ have_python setuptools && have_python wheel; } ||
	need "python3-setuptools python3-wheel" "tests of the Python package as it is installed are skipped"
have_python mypy || need mypy "the types of the Python package are not checked"
have chromium || have chromium-browser || have google-chrome || need chromium "tests of pages in a real browser are skipped"
{ have node && have npm; } || need "nodejs npm" "Toxiproxy's clients for Node are not tried"
if [ "${1-}" = bench ]; then
	have ip || need iproute2 "measurements beside the kernel's own netem are skipped"
	have haproxy || need haproxy "the comparison with HAProxy is skipped"
	have_nginx_stream || need "nginx libnginx-mod-stream" "the comparison with nginx is skipped"
	have socat || need socat "the comparison with socat is skipped"
fi

[ -n "$packages" ] || exit 0

# give_up says what is missing and why nothing was done about it.
give_up() {
	echo "Missing Debian packages ($1), and what that means:$report" >&2
	exit 0
}

[ "$(id -u)" = 0 ] || give_up "not root, so not installed"
have apt-get || give_up "no apt-get here, so not installed"

# Tests start their own servers on ports of their own, so the ones that the
# packages bring must stay down; this file is how Debian is told so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

install() {
	# The list of packages is meant to be split into words.
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
		-o DPkg::Lock::Timeout=300 $packages
}

echo "Installing:$packages" >&2
# The lists may be absent or name versions that are gone: then they are
# fetched, and the installation is tried once more.
install >/dev/null 2>&1 || {
	apt-get update -qq -o DPkg::Lock::Timeout=300 && install >/dev/null
} || give_up "apt-get failed, see above"
