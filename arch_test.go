package chaos_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/chaosgate/chaos"

// importRule forbids imports. Packages of this repository are written by their
// folder ("." is the library, "./spec"), all others by their import path, and
// "/..." means a package and all below it.
type importRule struct {
	of     []string // the packages that the rule binds
	except []string // and those of them that it does not
	forbid []string
	direct bool // only the import itself counts, not what is reached through others
	reason string
}

var library = []string{".", "./spec", "./status"}

// importRules hold the shape of the repository. A rule for a package that does
// not exist yet waits for it.
var importRules = []importRule{
	{
		of:     library,
		forbid: []string{"net/http/...", "net/rpc/...", "expvar"},
		reason: "a test that wants a faulty wire must not link an HTTP stack; HTTP is a skin, in cmd/chaosgate",
	},
	{
		of:     library,
		forbid: []string{"log/...", "log/syslog"},
		reason: "the library logs nothing: it reports through Gate.Observe, and whoever observes may log",
	},
	{
		of:     library,
		forbid: []string{"flag", "os/exec", "os/signal"},
		reason: "flags, processes and signals belong to a program, and the library is used by other people's",
	},
	{
		of:     []string{"."},
		forbid: []string{"encoding/json"},
		reason: "what a gate or a fault is in JSON is for spec to say; the library knows Go values",
	},
	{
		of:     []string{"./..."},
		except: []string{"./chaostest/..."},
		forbid: []string{"testing/..."},
		reason: "testing puts its flags into every program that links it; only chaostest is for go test",
	},
	{
		of:     []string{"./spec"},
		forbid: []string{"net", "net/textproto", "os/...", "io/ioutil", "syscall", "golang.org/x/sys/..."},
		direct: true,
		reason: "spec does no I/O: it turns text into values and back, and others read the files",
	},
	{
		of:     []string{"."},
		forbid: []string{"./spec/...", "./chaostest/...", "./matrix/...", "./sweep/...", "./client/...", "./cmd/..."},
		reason: "imports point one way, cmd → spec → chaos, and the library is their end",
	},
	{
		of:     []string{"./..."},
		except: []string{"./internal/wiretest", "./chaostest/...", "./bench/..."},
		forbid: []string{"./internal/wiretest"},
		reason: "wiretest judges the library and must not be part of it",
	},
	{
		of:     []string{"./spec"},
		forbid: []string{"./chaostest/...", "./matrix/...", "./sweep/...", "./client/...", "./cmd/..."},
		reason: "imports point one way, cmd → spec → chaos",
	},
	{
		of:     []string{"./client"},
		forbid: []string{"./chaostest/...", "./matrix/...", "./sweep/...", "./cmd/..."},
		reason: "the client speaks to a daemon and must not carry one",
	},
	{
		of:     []string{"./matrix/...", "./sweep/..."},
		forbid: []string{"./chaostest/...", "./cmd/..."},
		reason: "a matrix drives a gate in process through chaos or a daemon's through client, and runs outside go test as well",
	},
	{
		of:     []string{"./chaostest/..."},
		forbid: []string{"./cmd/..."},
		reason: "a user's test must not link the program",
	},
	{
		of:     []string{"./cmd/chaosgate/internal/hub/..."},
		forbid: []string{"net/http/...", "expvar"},
		reason: "the hub knows no HTTP, so that every skin (two HTTP APIs, the command line) stands on the same ground",
	},
	{
		of: []string{"./cmd/chaosgate/internal/hub/..."},
		forbid: []string{
			"./cmd/chaosgate/internal/api/...", "./cmd/chaosgate/internal/toxiproxy/...",
			"./cmd/chaosgate/internal/console/...", "./cmd/chaosgate/internal/metrics/...",
		},
		reason: "imports point one way: api, toxiproxy, console, metrics → hub",
	},
	{
		of:     []string{"./cmd/chaosgate/internal/console/..."},
		forbid: []string{"./cmd/chaosgate/internal/hub/...", ".", "./spec/..."},
		reason: "the console is static files that speak the native API and nothing else, so anyone could write another",
	},
	{
		of:     []string{"./cmd/chaosgate/..."},
		except: []string{"./cmd/chaosgate/internal/console/generate"},
		forbid: []string{"github.com/evanw/esbuild/...", "github.com/chromedp/..."},
		reason: "the console's page is bundled and tried before the program is built, which carries the result alone",
	},
}

// platforms are the systems whose files are examined: a forbidden import behind
// a build tag is forbidden all the same.
var platforms = []string{"linux", "darwin", "windows"}

// goPackage is what go list says about a package.
type goPackage struct {
	ImportPath string
	Dir        string
	Name       string
	Standard   bool
	Module     *struct{ Path string }
	Imports    []string
}

// importGraph holds packages by import path, with all that they depend on.
type importGraph map[string]goPackage

// listGraph asks go list about the packages of a module, tests left out.
func listGraph(t *testing.T, goos, dir string) importGraph {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Name,Standard,Module,Imports", "./...")
	cmd.Dir = dir
	// Without go.work: each module is examined as it reaches those who use it.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOOS="+goos)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list in %s for %s: %v\n%s", dir, goos, err, &stderr)
	}
	graph := importGraph{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatalf("output of go list in %s: %v", dir, err)
		}
		graph[p.ImportPath] = p
	}
}

// matchesImport reports whether a pattern of an importRule covers a package.
func matchesImport(pattern, importPath string) bool {
	if local, ok := strings.CutPrefix(pattern, "."); ok {
		pattern = modulePath + local
	}
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
	}
	return importPath == pattern
}

func matchesAnyImport(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchesImport(p, importPath) })
}

// binds reports whether the rule speaks about a package.
func (r importRule) binds(importPath string) bool {
	return matchesAnyImport(r.of, importPath) && !matchesAnyImport(r.except, importPath)
}

// breach finds the shortest chain of imports from a package to one that the
// rule forbids it, or nil.
func (r importRule) breach(graph importGraph, from string) []string {
	chains := [][]string{{from}}
	seen := map[string]bool{from: true}
	for len(chains) > 0 {
		chain := chains[0]
		chains = chains[1:]
		for _, imported := range graph[chain[len(chain)-1]].Imports {
			if seen[imported] {
				continue
			}
			seen[imported] = true
			longer := append(slices.Clip(chain), imported)
			if matchesAnyImport(r.forbid, imported) {
				return longer
			}
			if !r.direct {
				chains = append(chains, longer)
			}
		}
	}
	return nil
}

func TestImportsPointOneWay(t *testing.T) {
	examined := map[string]bool{} // folders that go list found on some platform
	reported := map[string]bool{} // breaches, which most often stand on every platform
	for _, goos := range platforms {
		graph := listGraph(t, goos, ".")
		if _, err := os.Stat("cmd/chaosgate/go.mod"); err == nil {
			for importPath, p := range listGraph(t, goos, "cmd/chaosgate") {
				graph[importPath] = p
			}
		}
		for importPath, p := range graph {
			if !matchesImport("./...", importPath) {
				continue
			}
			examined[p.Dir] = true
			for _, rule := range importRules {
				if !rule.binds(importPath) {
					continue
				}
				chain := rule.breach(graph, importPath)
				way := strings.Join(chain, " → ")
				if chain == nil || reported[way] {
					continue
				}
				reported[way] = true
				t.Errorf("%s must not reach %s: %s (on %s)\n\treason: %s", importPath, chain[len(chain)-1], way, goos, rule.reason)
			}
		}
	}

	// Rules that examined nothing hold for anything.
	for _, dir := range foldersWithGoFiles(t) {
		if !examined[dir] {
			t.Errorf("%s holds Go files that no rule has examined", dir)
		}
	}
	for _, local := range library {
		if !examined[absolute(t, local)] {
			t.Errorf("the library package %s was not examined: does it exist no more?", local)
		}
	}
}

func TestLibraryNeedsTheStandardLibraryAndSysOnly(t *testing.T) {
	allowed := []string{modulePath, "golang.org/x/sys"}
	for _, goos := range platforms {
		for importPath, p := range listGraph(t, goos, ".") {
			switch {
			case p.Standard:
			case p.Module == nil:
				t.Errorf("%s: %s belongs to no module", goos, importPath)
			case !slices.Contains(allowed, p.Module.Path):
				t.Errorf("%s: %s of module %s is linked; allowed are the standard library and golang.org/x/sys, "+
					"because anyone must be able to put the library into their own go.mod", goos, importPath, p.Module.Path)
			}
		}
	}
}

// TestImportRulesBite tries the rules on imports that break them.
func TestImportRulesBite(t *testing.T) {
	imports := func(graph map[string][]string) importGraph {
		g := importGraph{}
		for from, to := range graph {
			g[modulePath+from] = goPackage{Imports: to}
		}
		return g
	}
	tests := []struct {
		name  string
		rule  importRule
		graph importGraph
		want  string
	}{
		{
			"nothing forbidden",
			importRule{forbid: []string{"log/..."}},
			imports(map[string][]string{"": {"io", "logic"}}),
			"",
		},
		{
			"the import itself",
			importRule{forbid: []string{"log/..."}},
			imports(map[string][]string{"": {"io", "log/slog"}}),
			modulePath + " log/slog",
		},
		{
			"through another package, by the shortest way",
			importRule{forbid: []string{"./spec"}},
			imports(map[string][]string{"": {modulePath + "/a"}, "/a": {modulePath + "/b", modulePath + "/spec"}, "/b": {modulePath + "/spec"}}),
			modulePath + " " + modulePath + "/a " + modulePath + "/spec",
		},
		{
			"a circle ends",
			importRule{forbid: []string{"log"}},
			imports(map[string][]string{"": {modulePath + "/a"}, "/a": {modulePath}}),
			"",
		},
		{
			"a direct rule does not look through",
			importRule{forbid: []string{"os"}, direct: true},
			imports(map[string][]string{"": {modulePath + "/a"}, "/a": {"os"}}),
			"",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(test.rule.breach(test.graph, modulePath), " ")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// foldersWithGoFiles finds the folders of the library's and the program's
// modules that hold Go files other than tests, as absolute paths.
func foldersWithGoFiles(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, file := range goFiles(t) {
		dir := absolute(t, path.Dir(file))
		if moduleOf(file) != "." && moduleOf(file) != "cmd/chaosgate" {
			continue
		}
		if !strings.HasSuffix(file, "_test.go") && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// goFiles finds all Go files of the repository, by slash-separated paths.
// Folders that go list ignores are left out.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		base := entry.Name()
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")):
			return fs.SkipDir
		case !entry.IsDir() && path.Ext(name) == ".go":
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(files, "doc.go") {
		t.Fatalf("found %d Go files but not the library's doc.go: is this the root folder?", len(files))
	}
	return files
}

// moduleOf finds the folder of the module that a file belongs to.
func moduleOf(file string) string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(filepath.FromSlash(dir), "go.mod")); err == nil || dir == "." {
			return dir
		}
	}
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(fmt.Errorf("finding %s: %w", name, err))
	}
	return abs
}
