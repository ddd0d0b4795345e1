package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed dist
var dist embed.FS

// policy is what the page may do: load what stands beside it, and speak with the daemon that it came from. No script and no style stands in the page itself,
// and no script makes HTML of a text: what came over a wire stays text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// kinds are the types of the files, by the ends of their names.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// A file is one that is served. It is never changed.
type file struct {
	kind   string
	tag    string // names what is in it
	plain  []byte
	zipped []byte
}

// files are all that is served, by path. They are made when the first of them is asked for.
var files = sync.OnceValue(func() map[string]file {
	found := map[string]file{}
	names, _ := fs.Glob(dist, "dist/*") // the pattern is right, and an embedded folder can be read
	for _, name := range names {
		data, _ := dist.ReadFile(name)
		sum := sha256.Sum256(data)
		served := "/console/" + path.Base(name)
		if path.Base(name) == "index.html" {
			served = "/"
		}
		found[served] = file{kinds[path.Ext(name)], hex.EncodeToString(sum[:12]), data, zip(data)}
	}
	return found
})

// zip returns data as gzip has it.
func zip(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // there is such a level, and memory takes all
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// Handler returns what answers / with the page, and paths below /console/ with what it is made of.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	f, ok := files()[r.URL.Path]
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "got "+r.Method+", want GET", http.StatusMethodNotAllowed)
		return
	}
	body, tag, h := f.plain, f.tag, w.Header()
	if takesGzip(r) {
		body, tag = f.zipped, f.tag+"-z"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Cache-Control", "no-cache") // kept, but asked about: another version of the daemon has another page
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.Contains(r.Header.Get("If-None-Match"), `"`+tag+`"`) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body)
	}
}

// takesGzip reports whether a client takes gzip. Those that would rather not say so with q=0.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(quality), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}
