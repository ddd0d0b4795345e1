package main

import (
	"strings"
	"testing"
)

func TestWhatIsShown(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   string
	}{
		{
			"a test that passes shows nothing, its package one line",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: chatter\n"}
			{"Action":"pass","Package":"p","Test":"TestA"}
			{"Action":"output","Package":"p","Output":"PASS\n"}
			{"Action":"output","Package":"p","Output":"ok  \tp\t1.2s\n"}
			{"Action":"pass","Package":"p"}`,
			"ok  \tp\t1.2s\n== 1 passed, 0 failed, 0 skipped\n",
		},
		{
			"a test that fails shows all that it said",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: got 1, want 2\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
			{"Action":"fail","Package":"p","Test":"TestA"}
			{"Action":"output","Package":"p","Output":"FAIL\tp\t1.2s\n"}
			{"Action":"fail","Package":"p"}`,
			"    a_test.go:3: got 1, want 2\n--- FAIL: TestA (0.00s)\nFAIL\tp\t1.2s\n" +
				"== 0 passed, 1 failed, 0 skipped\nfailed   p TestA\n",
		},
		{
			"a test that skips is listed with its reason",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: no redis-server here\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
			{"Action":"skip","Package":"p","Test":"TestA"}
			{"Action":"skip","Package":"p","Test":"TestB"}`,
			"== 0 passed, 0 failed, 2 skipped\n" +
				"skipped  p TestA: a_test.go:3: no redis-server here\nskipped  p TestB: no reason given\n",
		},
		{
			"a package without tests is not a skipped test",
			`{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
			{"Action":"skip","Package":"p"}`,
			"?   \tp\t[no test files]\n== 0 passed, 0 failed, 0 skipped\n",
		},
		{
			"a package that breaks off shows the tests that were running",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: half way\n"}
			{"Action":"output","Package":"p","Output":"FAIL\tp\t1.2s\n"}
			{"Action":"fail","Package":"p"}`,
			"FAIL\tp\t1.2s\n    a_test.go:3: half way\n== 0 passed, 0 failed, 0 skipped\n",
		},
		{
			"what does not compile is shown",
			`{"ImportPath":"p","Action":"build-output","Output":"a.go:1:1: oops\n"}
			{"ImportPath":"p","Action":"build-fail"}
			{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
			{"Action":"fail","Package":"p","FailedBuild":"p"}`,
			"a.go:1:1: oops\nFAIL\tp [build failed]\n== 0 passed, 0 failed, 0 skipped\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			results := newResults(&out)
			if err := results.read(strings.NewReader(test.stream)); err != nil {
				t.Fatal(err)
			}
			results.summarize()
			if got := out.String(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestBrokenStream(t *testing.T) {
	if err := newResults(&strings.Builder{}).read(strings.NewReader("{nonsense")); err == nil {
		t.Error("got no error, want one")
	}
}
