package chaos_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chaosgate/chaos"
)

const (
	longestFile  = 300 // lines of a Go file that holds one concept
	longestFault = 80  // lines of a Go file that holds one fault
)

// mayBeLong names the files that may pass longestFile, each with its reason.
var mayBeLong = map[string]string{}

// maySleep names the library's files, or whole folders, that may call time.Sleep, each with its reason.
var maySleep = map[string]string{
	"ending.go":                         "the kernel tells nobody when a peer has taken the last bytes",
	"chaostest/evidence.go":             "it calls the code under test again and again until that recovers",
	"chaostest/conform_rules.go":        "it sleeps in virtual time",
	"chaostest/conform_datagram_run.go": "it sleeps in virtual time",
	"internal/wiretest":                 "it judges real sockets from outside: its scripts have pauses, and the kernel tells of few changes by itself",
}

// mayNamePaths names the files that may hold what looks like the path of one machine, each with its reason.
var mayNamePaths = map[string]string{}

// goOnlyFaults are the faults that are functions: no text can say them, so they
// are not registered, but they are documented and tested like all others.
var goOnlyFaults = []string{"edit", "through"}

func TestEveryPackageHasADocFile(t *testing.T) {
	packages := map[string][]string{} // folder → its files
	for _, file := range goFiles(t) {
		if !strings.HasSuffix(file, "_test.go") {
			packages[path.Dir(file)] = append(packages[path.Dir(file)], file)
		}
	}
	for dir, files := range packages {
		doc := path.Join(dir, "doc.go")
		if !slices.Contains(files, doc) {
			t.Errorf("%s: no doc.go; a package has its comment there", dir)
		}
		for _, file := range files {
			parsed, _ := parseGoFile(t, file)
			comment := parsed.Doc.Text()
			want := "Package " + parsed.Name.Name + " "
			if parsed.Name.Name == "main" {
				want = "Command "
			}
			switch {
			case file == doc && !strings.HasPrefix(comment, want):
				t.Errorf("%s: the package comment begins %.30q, want %q", file, comment, want)
			case file != doc && comment != "":
				t.Errorf("%s: has a package comment; it belongs in doc.go alone", file)
			}
		}
	}
}

func TestNoGlobalRandomness(t *testing.T) {
	// What makes a source of one's own, and the types, are welcome; all other
	// names of the packages draw from the source that everyone shares.
	own := []string{"New", "NewChaCha8", "NewPCG", "NewSource", "NewZipf", "ChaCha8", "PCG", "Rand", "Source", "Source64", "Zipf"}
	for _, file := range libraryFiles(t) {
		for _, use := range usesOf(t, file, "math/rand", "math/rand/v2") {
			if !slices.Contains(own, use.name) {
				t.Errorf("%s: rand.%s draws from the global source; randomness is passed in, seeded and drawn per position (Stage.Draw)", use.at, use.name)
			}
		}
	}
}

func TestNoSleepInTheLibrary(t *testing.T) {
	slept := map[string]bool{}
	for _, file := range libraryFiles(t) {
		for _, use := range usesOf(t, file, "time") {
			if use.name != "Sleep" {
				continue
			}
			slept[file], slept[path.Dir(file)] = true, true
			if maySleep[file] == "" && maySleep[path.Dir(file)] == "" {
				t.Errorf("%s: time.Sleep; a wait must end when something changes, and only pumps wait "+
					"(if this one must be, give maySleep the reason)", use.at)
			}
		}
	}
	for file := range maySleep {
		if !slept[file] {
			t.Errorf("maySleep lists %s, which does not sleep (any more)", file)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	long := map[string]bool{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, lines := parseGoFile(t, file)
		if lines <= longestFile || ast.IsGenerated(parsed) {
			continue
		}
		long[file] = true
		if mayBeLong[file] == "" {
			t.Errorf("%s: %d lines, want at most %d: one concept, one file (if it must be, give mayBeLong the reason)", file, lines, longestFile)
		}
	}
	for file := range mayBeLong {
		if !long[file] {
			t.Errorf("mayBeLong lists %s, which is not long (any more)", file)
		}
	}
}

func TestEveryFaultHasItsFiles(t *testing.T) {
	names := slices.Clone(goOnlyFaults)
	for _, kind := range chaos.Kinds() {
		// Other tests of this package may have registered kinds of their own.
		if reflect.TypeOf(kind.Fault).PkgPath() == modulePath {
			names = append(names, kind.Name)
		}
	}
	if len(names) == len(goOnlyFaults) {
		t.Fatal("no kind is registered: nothing was checked")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			source := strings.ReplaceAll(name, "_", "") + ".go"
			needFile(t, source, "the fault itself")
			needFile(t, "testdata/faults/"+name+".txt", "its golden script")
			needFile(t, "docs/faults/"+name+".md", "its page of the manual")
			if _, lines := parseGoFile(t, source); lines > longestFault {
				t.Errorf("%s: %d lines, want at most %d: one fault, one short file", source, lines, longestFault)
			}
		})
	}
}

// machinePath matches an absolute path that is only right on the machine of
// whoever wrote it. It must not follow a character that makes it the tail of
// something else, such as a URL or a relative path.
var machinePath = regexp.MustCompile(`(?:^|[^\w.~)}*/-])(/(?:home|root|work|Users)(?:/[\w.-]*|\b)|[A-Z]:\\+Users\\)`)

func TestNoPathsOfOneMachine(t *testing.T) {
	found := map[string]bool{}
	checked := 0
	for _, file := range repositoryFiles(t) {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if os.IsNotExist(err) {
			continue // deleted, and git has not been told
		} else if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
			continue // not text
		}
		checked++
		for i, line := range strings.Split(string(text), "\n") {
			match := machinePath.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			found[file] = true
			if mayNamePaths[file] == "" {
				t.Errorf("%s:%d: %q is a path of one machine; write it relative to the repository "+
					"(if it must be, give mayNamePaths the reason)", file, i+1, match[1])
			}
		}
	}
	if checked == 0 {
		t.Error("no file was checked")
	}
	for file := range mayNamePaths {
		if !found[file] {
			t.Errorf("mayNamePaths lists %s, which names none (any more)", file)
		}
	}
}

func TestWhatIsAPathOfOneMachine(t *testing.T) {
	// Put together from halves, since this file is searched as well.
	const home, root, work = "/ho" + "me", "/ro" + "ot", "/wo" + "rk"
	tests := []struct {
		line string
		want bool
	}{
		{"see " + home + "/someone/notes", true},
		{"`" + work + "/main/go.mod`", true},
		{"cd " + work, true},
		{"dir=" + root + "/go", true},
		{"file://" + home + "/x", false},
		{`C:\` + `Users\someone`, true},
		{"/usr/lib/postgresql/15/bin", false},
		{"https://example.org" + home + "/page", false},
		{"the net" + work + "/address pair", false},
		{"$HOME" + work + "/x", false},
		{"./x" + root + "/y", false},
		{root + "less", false},
	}
	for _, test := range tests {
		if got := machinePath.MatchString(test.line); got != test.want {
			t.Errorf("%q: got %v, want %v", test.line, got, test.want)
		}
	}
}

// repositoryFiles finds all files that git knows or would take, or without git
// all files there are.
func repositoryFiles(t *testing.T) []string {
	t.Helper()
	// A copy of the module, as in the module cache, is not a repository.
	if _, err := os.Stat(".git"); err != nil {
		return goFiles(t)
	}
	out, err := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// libraryFiles finds the Go files of the root module without its tests.
func libraryFiles(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(goFiles(t), func(file string) bool {
		return strings.HasSuffix(file, "_test.go") || moduleOf(file) != "."
	})
}

// parseGoFile parses a file and counts its lines.
func parseGoFile(t *testing.T, file string) (*ast.File, int) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, bytes.Count(text, []byte("\n"))
}

func needFile(t *testing.T, file, what string) {
	t.Helper()
	if info, err := os.Stat(filepath.FromSlash(file)); err != nil {
		t.Errorf("%s is missing: %s", file, what)
	} else if info.Size() == 0 {
		t.Errorf("%s is empty: %s", file, what)
	}
}

// use is one place at which a name of an imported package is used.
type use struct {
	name string
	at   string // file:line
}

// usesOf finds the uses of what some packages export in a file.
func usesOf(t *testing.T, file string, importPaths ...string) []use {
	t.Helper()
	set := token.NewFileSet()
	// Objects are resolved, so that a variable with a package's name is told from it.
	parsed, err := parser.ParseFile(set, filepath.FromSlash(file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, spec := range parsed.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !slices.Contains(importPaths, importPath) {
			continue
		}
		name := path.Base(strings.TrimSuffix(importPath, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." {
			t.Errorf("%s: imports %s with a dot, which hides what is used of it", file, importPath)
		}
		names[name] = true
	}
	var uses []use
	ast.Inspect(parsed, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok && pkg.Obj == nil && names[pkg.Name] {
			position := set.Position(selector.Pos())
			uses = append(uses, use{selector.Sel.Name, fmt.Sprintf("%s:%d", file, position.Line)})
		}
		return true
	})
	return uses
}

func TestUsesOfFindsWhatIsUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.go")
	text := `package x
import (
	mrand "math/rand/v2"
	"time"
)
func f() {
	time.Sleep(time.Second)
	mrand.IntN(3)
	{
		time := struct{ Sleep func() }{}
		time.Sleep()
	}
}
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, use := range usesOf(t, filepath.ToSlash(file), "time", "math/rand/v2") {
		got[use.name+strings.TrimPrefix(use.at, filepath.ToSlash(file))] = true
	}
	want := map[string]bool{"Sleep:7": true, "Second:7": true, "IntN:8": true}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
