// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/sinsp/scap"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// feed plays the feeder: given payloads under any plugin ID and source.
func (in *inspector) feed(list []stage.Fed) error {
	left := list
	return in.framework.OpenStream(in.feederID, in.feederSource, func() ([]byte, abi.RC, error) {
		if len(left) == 0 {
			return nil, abi.EOF, nil
		}
		payload, err := left[0].Payload()
		if err != nil {
			return nil, abi.Failure, fmt.Errorf("feeding an event: %w", err)
		}
		e := host.NewPluginEvent(in.feederID, left[0].TS, payload)
		defer e.Free()
		left = left[1:]
		return e.Bytes(), abi.Success, nil
	})
}

// inject throws the events of a capture file in, as the driver does: behind
// them is an idle stream.
func (in *inspector) inject(path string) error {
	file, err := scap.Read(path)
	if err != nil {
		return err
	}
	left, err := file.Events()
	if err != nil {
		return err
	}
	return in.framework.OpenEvents(func() ([]byte, abi.RC, error) {
		if len(left) == 0 {
			return nil, abi.Timeout, nil
		}
		e := left[0]
		left = left[1:]
		return e, abi.Success, nil
	})
}

// record begins the file that is to be written when its first event is there,
// as sysdig does.
func (in *inspector) record(first *host.Event) (err error) {
	if in.file != "" && in.recording == nil {
		in.recording, err = in.framework.Record(first)
	}
	return err
}

// save ends the recording, if any.
func (in *inspector) save() error {
	r, path := in.recording, in.file
	in.recording, in.file = nil, ""
	if r == nil {
		return nil
	}
	in.framework.StopRecording(r)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(r.Save(f), f.Close())
}

// replay plays a file that save wrote: the test host's, not the framework's. Of
// system calls it is the framework's own.
func (in *inspector) replay(path string) error {
	if in.followed {
		r, err := captured(path)
		if err != nil {
			return err
		}
		return in.framework.OpenReplay(r)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := host.LoadRecording(f)
	if err != nil {
		return err
	}
	return in.framework.OpenReplay(r)
}

// captured is a capture file of system calls.
func captured(path string) (*host.Recording, error) {
	file, err := scap.Read(path)
	if err != nil {
		return nil, err
	}
	processes, err := file.Processes()
	if err != nil {
		return nil, err
	}
	r := &host.Recording{}
	for _, p := range processes {
		r.Processes = append(r.Processes, host.Process{
			TID: p.TID, Fields: map[string]any{"pid": p.PID, "ptid": p.PTID, "comm": p.Comm}, Cgroups: p.Cgroups,
		})
	}
	r.Events, err = file.Events()
	return r, err
}

func (in *inspector) values(e *host.Event, c *host.Check) ([]any, error) {
	r, err := in.framework.Value(e, c)
	if errors.Is(err, host.ErrExtraction) {
		return nil, nil
	}
	return r.Values, err
}

func (in *inspector) metrics() (answer, error) {
	all := map[string]stage.Metric{}
	for _, p := range in.framework.Plugins() {
		list, err := p.Metrics()
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			all[p.Name+"."+m.Name] = stage.Metric{Monotonic: m.Monotonic, Value: m.Value}
		}
	}
	return answer{"metrics": all}, nil
}
