"""The pytest plugin: fixtures chaosgate, gate_factory, session_gate_factory and chaosgate_aio, and the marker chaos.

    def test_survives_a_slow_cache(gate_factory):
        gate = gate_factory("127.0.0.1:6379")
        ...

    @pytest.mark.chaos("to_client: delay by=200ms")
    def test_is_patient(gate_factory): ...
"""

import random
from typing import Any, Iterator, List, Optional, Set, Tuple

import pytest

from . import aio, daemon
from .errors import Error
from .pytest_gates import Gates, Made
from .pytest_report import section
from .sync import Client

SESSION = "chaosgate-session"  # the name of what a session keeps, among pytest's plugins
LEASE_LASTS = 5.0  # seconds behind the death of a session that uses somebody else's daemon
DOORS = ("open", "hold", "refuse", "blackhole")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the flags."""
    group = parser.getgroup("chaosgate", "network faults by chaosgate")
    group.addoption("--chaosgate", metavar="PATH", help="the program chaosgate; without it $CHAOSGATE_BIN, or that on the PATH")
    group.addoption("--chaosgate-url", metavar="URL", help="use the daemon at URL, with a lease, instead of starting one")
    group.addoption("--chaosgate-seed", metavar="N", type=int, help="what the randomness of gates comes from; a failure says what it was")


def pytest_configure(config: pytest.Config) -> None:
    """Begins a session. No daemon is started until a test asks for one."""
    config.addinivalue_line("markers", 'chaos(*conditions, gate=None): impose, such as "to_client: delay by=200ms" or "door: hold", during the test')
    session = ChaosSession(config)
    config.pluginmanager.register(session, SESSION)
    daemon.share(session.client, lambda: session.lease)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends a session, and leaves nothing behind."""
    session = config.pluginmanager.unregister(name=SESSION)
    if session is not None:
        daemon.share(None)
        session.close()


@pytest.fixture(scope="session")
def chaosgate(request: pytest.FixtureRequest) -> Client:
    """Returns a client of the session's daemon."""
    return _session(request.config).client()


@pytest.fixture
def chaosgate_aio(request: pytest.FixtureRequest) -> Iterator[aio.Client]:
    """Returns a client for asyncio of the session's daemon."""
    client = _session(request.config).client()
    other = aio.Client(client.url, by=client.by, timeout=client.timeout)
    other.pin(client.boot)
    yield other
    other.drop()


@pytest.fixture
def gate_factory(request: pytest.FixtureRequest, chaosgate: Client) -> Iterator[Gates]:
    """Makes gates that live as long as the test: gate_factory("127.0.0.1:6379", name="redis", to_client=[...])."""
    session = _session(request.config)
    with Gates(session, session.own_names, request.node.nodeid) as gates:
        yield gates


@pytest.fixture(scope="session")
def session_gate_factory(request: pytest.FixtureRequest, chaosgate: Client) -> Iterator[Gates]:
    """Makes gates that live as long as the session. Between two tests they are healed: only what they were made with is imposed again."""
    session = _session(request.config)
    with Gates(session, session.own_names, None) as gates:
        yield gates


class ChaosSession:
    """Is what a session of pytest keeps: its daemon, its gates and its seed."""

    def __init__(self, config: pytest.Config) -> None:
        given: Optional[int] = config.getoption("chaosgate_seed")
        self.seed = given if given is not None else random.SystemRandom().randrange(1, 2**31)
        self.url: Optional[str] = config.getoption("chaosgate_url")
        self.lease: Optional[str] = None
        self.test = "pytest"  # that runs, or ran last
        self.made: List[Made] = []  # the gates that there are
        self.daemon: Optional[daemon.Daemon] = None
        self.own_names = f"pytest-{random.SystemRandom().randrange(16**8):08x}" if self.url else ""  # behind names, where others use the daemon
        self._binary: Optional[str] = config.getoption("chaosgate")
        self._client: Optional[Client] = None
        self._hold: Any = None
        self._conditions: List[Tuple[str, str, Optional[str]]] = []  # of the test that runs: where, what, of which gate
        self._marked = False  # they are imposed
        self._met = False  # on a gate
        self._names: Set[str] = set()  # of the test's fixtures
        self._fixtures: List[str] = []  # that are being set up, one for another

    def client(self) -> Client:
        """Returns the client, whose daemon is started first."""
        if self._client is None:
            if self.url:
                client = Client(self.url, by=self.test)
                self._hold = client.hold(self.own_names, LEASE_LASTS)
                self.lease = self.own_names
            else:
                self.daemon = daemon.Daemon(self._binary).start()
                client = self.daemon.client(by=self.test)
                client.version()  # by which it knows the run of the daemon that is meant
            self._client = client
        return self._client

    def close(self) -> None:
        """Ends what was begun."""
        hold, client, own = self._hold, self._client, self.daemon
        self._hold = self._client = self.daemon = None
        try:
            if hold is not None:
                hold.release()
        finally:
            if client is not None:
                client.close()
            if own is not None:
                own.stop()

    def note(self, made: Made) -> None:
        """Notes a gate, on which the test's conditions are imposed if it runs already."""
        made.fixture = self._fixtures[-1] if self._fixtures else ""
        self.made.append(made)
        if self._marked:
            self._impose(made)

    def used(self) -> List[Made]:
        """Returns the gates that the test uses: its own, and those of its fixtures."""
        return [made for made in self.made if made.test == self.test or made.fixture in self._names]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Notes which fixture is set up, for the gates that it makes."""
        self._fixtures.append(fixturedef.argname)
        yield
        self._fixtures.pop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tells the daemon who asks, and has gates that live longer than the test draw as if they were new."""
        self.test, self._names = item.nodeid, set(getattr(item, "fixturenames", ()))
        self._conditions, self._marked, self._met = list(_conditions(item)), False, False
        if self._client is not None:
            self._client.by = item.nodeid
        for made in self.used():
            made.begin(self.seed, item.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Checks, when the test has passed, that its conditions have met a gate."""
        if self._conditions and not self._met:
            pytest.fail("the marker chaos has met no gate: the test has made none" + _named(self._conditions), pytrace=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Heals the gates that live longer than the test."""
        self._conditions, self._marked = [], False
        for made in self.made:
            made.end()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: "pytest.CallInfo[None]") -> Iterator[None]:
        """Adds to the report of a failure what the gates were doing."""
        outcome: Any = yield
        report = outcome.get_result()
        if report.failed and self._client is not None:
            report.sections.append(("chaosgate", section(self)))

    def impose(self) -> None:
        """Imposes the test's conditions, once its fixtures are ready."""
        self._marked = True
        for made in self.used():
            self._impose(made)

    def _impose(self, made: Made) -> None:
        for where, what, name in self._conditions:
            if name is not None and name != made.name:
                continue
            self._met = True
            why = None
            try:
                made.impose(where, what)
            except Error as err:
                why = err
            if why is not None:
                pytest.fail(f"the marker chaos: {where}: {why}", pytrace=False)


class _AfterSetup:
    """Is the end of each test's setup."""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Imposes the conditions of the test's markers."""
        _session(item.config).impose()


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Registers, beside the session, what has to run at the other end of the same hook."""
    if isinstance(plugin, ChaosSession):
        manager.register(_AfterSetup())


def _session(config: pytest.Config) -> ChaosSession:
    session: ChaosSession = config.pluginmanager.get_plugin(SESSION)
    return session


def _conditions(item: pytest.Item) -> Iterator[Tuple[str, str, Optional[str]]]:
    for marker in reversed(list(item.iter_markers("chaos"))):  # those of the module and the class first
        gate = marker.kwargs.get("gate")
        if not marker.args or set(marker.kwargs) - {"gate"}:
            pytest.fail('the marker chaos: want conditions, such as "to_client: delay by=200ms", and perhaps gate="name"', pytrace=False)
        for condition in marker.args:
            where, colon, what = str(condition).partition(":")
            where, what = where.strip(), what.strip()
            if where not in ("to_server", "to_client", "door") or not colon or not what or where == "door" and what not in DOORS:
                pytest.fail(
                    f"the marker chaos: got {condition!r}, want to_server: FAULTS, to_client: FAULTS or door: {', '.join(DOORS)}", pytrace=False
                )
            yield where, what, gate


def _named(conditions: List[Tuple[str, str, Optional[str]]]) -> str:
    names = sorted({gate for _, _, gate in conditions if gate})
    return f" that is called {' or '.join(names)}" if names else ""
