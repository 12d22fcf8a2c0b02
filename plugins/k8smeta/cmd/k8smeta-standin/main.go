// SPDX-License-Identifier: Apache-2.0

// Command k8smeta-standin plays a metadata collector and a Kubernetes API
// server, for trying the k8smeta plugin without a cluster.
//
//	k8smeta-standin --objects FILE [--changes FILE] [--collector ADDRESS] [--api ADDRESS] [--kubeconfig FILE]
//
// FILE has Kubernetes manifests; testdata/cluster.yaml of the plugin is one.
// The first line on the standard output is a JSON object that says where the
// servers listen: {"collector":"127.0.0.1:PORT","api":"http://127.0.0.1:PORT"}.
// With --kubeconfig, a kubeconfig file for the API server is written before.
//
// Lines on the standard input steer it, each answered by a line on the standard
// output, {"done":LINE} or {"error":TEXT}:
//
//	apply FILE     put the objects of the file into the cluster, or take those out
//	               that have "deleted: true" at their top
//	replace FILE   let the cluster have exactly the objects of the file
//	disconnect     end the collector's streams, in good order
//	end CODE       end them with that gRPC status: UNAVAILABLE, INTERNAL, ...
//	forget         let the API server forget the history of its objects
//
// SIGHUP applies the file of --changes. It ends when the standard input does, so
// that it never outlives what has started it, or by SIGINT or SIGTERM. In a
// shell's background, give it an input that stays open: sleep infinity | k8smeta-standin ...
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/grpc/codes"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	if err := run(os.Args[1:], os.Stdin, os.Stdout, stop, again); err != nil {
		fmt.Fprintln(os.Stderr, "k8smeta-standin:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	objects, changes, collector, api, kubeconfig string
	certificate, key, clientCA                   string
}

func readOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("k8smeta-standin", flag.ContinueOnError)
	flags.StringVar(&o.objects, "objects", "", "`file` with the cluster's objects; required")
	flags.StringVar(&o.changes, "changes", "", "`file` that SIGHUP applies")
	flags.StringVar(&o.collector, "collector", "127.0.0.1:0", "`address` of the collector")
	flags.StringVar(&o.api, "api", "127.0.0.1:0", "`address` of the API server")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` to write a kubeconfig for the API server to")
	flags.StringVar(&o.certificate, "tls-cert", "", "`file` with the certificate of both servers, and of the authority that signed it; without, they speak no TLS")
	flags.StringVar(&o.key, "tls-key", "", "`file` with its key")
	flags.StringVar(&o.clientCA, "client-ca", "", "`file` with the authority of client certificates, which are required then")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.objects == "":
		return o, errors.New("--objects is missing: give a file with Kubernetes manifests")
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q: there are flags only", flags.Arg(0))
	}
	return o, nil
}

// security reads what TLS needs: the servers' part, and the CA for clients.
func (o options) security() (*tls.Config, []byte, error) {
	if o.certificate == "" {
		return nil, nil, nil
	}
	pair, err := tls.LoadX509KeyPair(o.certificate, o.key)
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if o.clientCA != "" {
		text, err := os.ReadFile(o.clientCA)
		if err != nil {
			return nil, nil, fmt.Errorf("read client CA: %w", err)
		}
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		if !c.ClientCAs.AppendCertsFromPEM(text) {
			return nil, nil, fmt.Errorf("read client CA %q: there is no PEM certificate in it", o.clientCA)
		}
	}
	ca, err := os.ReadFile(o.certificate)
	return c, ca, err
}

func run(args []string, in io.Reader, out io.Writer, stop, again <-chan os.Signal) error {
	o, err := readOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	cluster := standin.NewCluster()
	if err := apply(o.objects, cluster.Apply); err != nil {
		return err
	}
	secure, ca, err := o.security()
	if err != nil {
		return err
	}
	collector, err := standin.NewCollector(o.collector, cluster, standin.CollectorOptions{TLS: secure})
	if err != nil {
		return err
	}
	defer collector.Close()
	api, err := standin.NewAPI(o.api, cluster, standin.APIOptions{TLS: secure})
	if err != nil {
		return err
	}
	defer api.Close()
	if o.kubeconfig != "" {
		text, err := api.Kubeconfig(ca)
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.kubeconfig, text, 0o600); err != nil {
			return fmt.Errorf("write kubeconfig: %w", err)
		}
	}
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	if err := answers.Encode(struct {
		Collector  string `json:"collector"`
		API        string `json:"api"`
		Kubeconfig string `json:"kubeconfig,omitempty"`
	}{collector.Address(), api.URL(), o.kubeconfig}); err != nil {
		return err
	}

	lines := make(chan string)
	quit := make(chan struct{})
	defer close(quit)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-quit:
				return
			}
		}
	}()
	for {
		var line string
		select {
		case <-stop:
			return nil
		case <-again:
			line = "apply " + o.changes
		case l, open := <-lines:
			if !open {
				return nil
			}
			line = l
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		answer := map[string]string{"done": line}
		if err := obey(line, cluster, collector); err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

// obey carries out one line of the standard input.
func obey(line string, cluster *standin.Cluster, collector *standin.Collector) error {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "apply":
		return apply(rest, cluster.Apply)
	case "replace":
		return apply(rest, cluster.Replace)
	case "disconnect":
		collector.End(codes.OK, "")
	case "end":
		var code codes.Code
		if err := code.UnmarshalJSON([]byte(strconv.Quote(rest))); err != nil {
			return fmt.Errorf("end %q: there is no such gRPC status; one is UNAVAILABLE", rest)
		}
		collector.End(code, "the stand-in was told to end it")
	case "forget":
		cluster.Forget()
	default:
		return fmt.Errorf("%q: unknown line; there are apply FILE, replace FILE, disconnect, end CODE and forget", line)
	}
	return nil
}

func apply(file string, take func([]byte) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read objects: %w", err)
	}
	if err := take(text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
