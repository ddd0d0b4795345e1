package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
)

// A dropList is numbers of datagrams: runs of them in order, which neither touch nor overlap.
type dropList []numbers

// numbers are those from one to another.
type numbers struct{ from, to int64 }

// has reports whether the list has a number.
func (d dropList) has(n int64) bool {
	i, _ := slices.BinarySearchFunc(d, n, func(run numbers, n int64) int { return cmp.Compare(run.to, n) })
	return i < len(d) && d[i].from <= n
}

// sharedDropList returns the list of a [Lose], which all sessions share.
func sharedDropList(st *Stage, text string) dropList {
	type of struct {
		text string
		list dropList
	}
	shared := st.Shared(func() any { return new(atomic.Pointer[of]) }).(*atomic.Pointer[of])
	if s := shared.Load(); s != nil && s.text == text {
		return s.list
	}
	list, err := parseDropList(text)
	if err != nil {
		panic(err) // Check has parsed it
	}
	shared.Store(&of{text, list})
	return list
}

// parseDropList reads numbers and runs of them, such as 1,4,7-9. They may come in any order, with blanks around them.
func parseDropList(text string) (dropList, error) {
	var list dropList
	refused := func(at int, want string) error {
		return &FaultError{Param: "list", Given: text, Allowed: fmt.Sprintf("%s at column %d, as in 1,4,7-9", want, at+1)}
	}
	at := 0
	blanks := func() {
		for at < len(text) && text[at] == ' ' {
			at++
		}
	}
	number := func(least int64) (int64, error) {
		blanks()
		begin := at
		for at < len(text) && '0' <= text[at] && text[at] <= '9' {
			at++
		}
		n, err := strconv.ParseInt(text[begin:at], 10, 64)
		if err != nil || n < least || n > largest {
			return 0, refused(begin, fmt.Sprintf("a number from %d to %d", least, int64(largest)))
		}
		blanks()
		return n, nil
	}
	for at < len(text) {
		from, err := number(1)
		if err != nil {
			return nil, err
		}
		to, wanted := from, "a comma or a hyphen"
		if at < len(text) && text[at] == '-' {
			at++
			wanted = "a comma"
			if to, err = number(from); err != nil {
				return nil, err
			}
		}
		list = append(list, numbers{from, to})
		if at == len(text) {
			break
		}
		if text[at] != ',' {
			return nil, refused(at, wanted)
		}
		if at++; at == len(text) {
			_, err = number(1)
			return nil, err
		}
	}
	return list.merged(), nil
}

// merged puts runs in order, and makes one of those that touch.
func (d dropList) merged() dropList {
	slices.SortFunc(d, func(a, b numbers) int { return cmp.Compare(a.from, b.from) })
	out := d[:0]
	for _, run := range d {
		if n := len(out); n > 0 && run.from <= out[n-1].to+1 {
			out[n-1].to = max(out[n-1].to, run.to)
		} else {
			out = append(out, run)
		}
	}
	return out
}
