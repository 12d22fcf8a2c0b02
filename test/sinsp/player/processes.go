// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// processes has the threads table hold the framework's own fields of given rows
// at each open, such as the driver tells them, but for lists of texts. What
// plugins added is left out: rows of one inspector know fields of all.
func (in *inspector) processes(rows []map[string]any) error {
	var all []host.Process
	for _, r := range rows {
		p := host.Process{Fields: map[string]any{}, Files: map[int64]map[string]any{}}
		var err error
		if p.TID, err = number(r, "tid"); err != nil {
			return err
		}
		pid, err := number(r, "pid")
		if err != nil {
			return err
		}
		for _, name := range []string{"pid", "ptid", "comm", "exe", "exe_path"} {
			p.Fields[name] = whole(r[name])
		}
		files, _ := r["file_descriptors"].([]any)
		for _, f := range files {
			file, _ := f.(map[string]any)
			fd, err := number(file, "fd")
			if err != nil {
				return err
			}
			if p.TID == pid { // its other threads share them
				p.Files[fd] = map[string]any{"name": whole(file["name"])}
			}
		}
		all = append(all, p)
	}
	in.framework.SetProcesses(all)
	return nil
}

func number(row map[string]any, field string) (int64, error) {
	n, ok := whole(row[field]).(int64)
	if !ok {
		return 0, fmt.Errorf("filling the threads table: %s is %v; want a number", field, row[field])
	}
	return n, nil
}

// whole makes a number of JSON what a table takes.
func whole(v any) any {
	switch v := stage.Canonical(v).(type) {
	case float64:
		return int64(v)
	case uint64:
		return int64(v)
	default:
		return v
	}
}
