package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// libraries are what the page imports by name, and where that is.
var libraries = map[string]string{
	"preact":               "preact/preact.mjs",
	"preact/hooks":         "preact/hooks.mjs",
	"@preact/signals":      "signals/signals.mjs",
	"@preact/signals-core": "signals-core/signals-core.mjs",
	"uplot":                "uplot/uPlot.esm.js",
}

// copied are files of web that are served as they are.
var copied = []string{"index.html", "icon.svg"}

// bundle returns the files of dist by name. The same sources make the same bytes, wherever they are.
func bundle(folder string) (map[string][]byte, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: folder,
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "web/main.jsx", OutputPath: "app"},
			{InputPath: "web/app.css", OutputPath: "app"},
		},
		Outdir:            "dist",
		Bundle:            true,
		Format:            api.FormatIIFE,
		Target:            api.ES2022,
		Charset:           api.CharsetASCII,
		JSX:               api.JSXTransform,
		JSXFactory:        "h",
		JSXFragment:       "Fragment",
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone, // licences.txt has them all
		Plugins:           []api.Plugin{vendored(folder)},
		LogLevel:          api.LogLevelSilent,
	})
	if len(result.Errors)+len(result.Warnings) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(slices.Concat(result.Errors, result.Warnings), api.FormatMessagesOptions{}), ""))
	}
	made := map[string][]byte{}
	for _, out := range result.OutputFiles {
		made[filepath.Base(out.Path)] = out.Contents
	}
	for _, name := range copied {
		if made[name], err = os.ReadFile(filepath.Join(folder, "web", name)); err != nil {
			return nil, err
		}
	}
	made["licences.txt"], err = licences(folder)
	return made, err
}

// vendored finds libraries in the folder that has them.
func vendored(folder string) api.Plugin {
	return api.Plugin{Name: "vendored", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: `^[@a-z]`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			at, ok := libraries[args.Path]
			if !ok {
				return api.OnResolveResult{}, nil
			}
			return api.OnResolveResult{Path: filepath.Join(folder, "vendored", filepath.FromSlash(at))}, nil
		})
	}}
}

// licences returns what the libraries want said of them.
func licences(folder string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(folder, "vendored", "*", "LICENSE"))
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	fmt.Fprintln(&all, "The console is made with these libraries.")
	for _, name := range found {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&all, "\n%s\n\n%s\n", filepath.Base(filepath.Dir(name)), bytes.TrimSpace(text))
	}
	return all.Bytes(), nil
}
