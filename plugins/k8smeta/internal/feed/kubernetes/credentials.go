// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// account is what every pod is given to reach the API server with.
const account = "/var/run/secrets/kubernetes.io/serviceaccount"

// access is how the API server is reached, read again for each connection:
// tokens and certificates are renewed while Falco runs.
type access struct {
	server    *url.URL
	tls       *tls.Config
	proxy     func(*http.Request) (*url.URL, error)
	token     string
	tokenFile string // read for each request; goes before token
	user      string // of basic authentication
	password  string
}

// authorize puts the credentials into a request.
func (a *access) authorize(r *http.Request) error {
	token := a.token
	if a.tokenFile != "" {
		text, err := os.ReadFile(a.tokenFile)
		if err != nil {
			return fmt.Errorf("read token: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	switch {
	case token != "":
		r.Header.Set("Authorization", "Bearer "+token)
	case a.user != "":
		r.SetBasicAuth(a.user, a.password)
	}
	return nil
}

// inCluster is the access of a pod's service account.
func inCluster(getenv func(string) string, dir string) (*access, error) {
	host, port := getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: outside of a pod, give a kubeconfig file")
	}
	a := &access{
		server:    &url.URL{Scheme: "https", Host: net.JoinHostPort(host, port)},
		tls:       &tls.Config{MinVersion: tls.VersionTLS12},
		tokenFile: filepath.Join(dir, "token"),
	}
	if _, err := os.Stat(a.tokenFile); err != nil {
		return nil, fmt.Errorf("read the service account's token: %w", err)
	}
	pem, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the service account's CA: %w", err)
	}
	if a.tls.RootCAs, err = roots(pem); err != nil {
		return nil, fmt.Errorf("read the service account's CA: %w", err)
	}
	return a, nil
}

// kubeconfig is the part of such a file that is used. Data members are base64.
type kubeconfig struct {
	CurrentContext string `yaml:"current-context"`
	Contexts       []struct {
		Name    string
		Context struct{ Cluster, User string }
	}
	Clusters []struct {
		Name    string
		Cluster kubeCluster
	}
	Users []struct {
		Name string
		User kubeUser
	}
}

type kubeCluster struct {
	Server     string
	CA         string `yaml:"certificate-authority"`
	CAData     string `yaml:"certificate-authority-data"`
	Insecure   bool   `yaml:"insecure-skip-tls-verify"`
	ServerName string `yaml:"tls-server-name"`
	ProxyURL   string `yaml:"proxy-url"`
}

type kubeUser struct {
	Certificate     string `yaml:"client-certificate"`
	CertificateData string `yaml:"client-certificate-data"`
	Key             string `yaml:"client-key"`
	KeyData         string `yaml:"client-key-data"`
	Token           string
	TokenFile       string `yaml:"tokenFile"`
	Username        string
	Password        string
	Exec            any
	AuthProvider    any `yaml:"auth-provider"`
}

// readKubeconfig is the access that a kubeconfig file's current context gives.
func readKubeconfig(file string) (*access, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	var k kubeconfig
	if err := yaml.Unmarshal(text, &k); err != nil {
		return nil, fmt.Errorf("read kubeconfig %q: %w", file, err)
	}
	a, err := k.access(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %q: %w", file, err)
	}
	return a, nil
}

func (k *kubeconfig) access(dir string) (*access, error) {
	cluster, user, err := k.current()
	if err != nil {
		return nil, err
	}
	if user.Exec != nil || user.AuthProvider != nil {
		return nil, errors.New("the user's credentials come from a program (exec or auth-provider), which a plugin inside Falco does not run; use a token, a tokenFile or a client certificate")
	}
	server, err := url.Parse(cluster.Server)
	if err != nil || server.Host == "" || server.Scheme != "https" && server.Scheme != "http" {
		return nil, fmt.Errorf("server %q is no URL of an API server, such as https://10.0.0.1:6443", cluster.Server)
	}
	a := &access{
		server: server,
		tls:    &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cluster.ServerName, InsecureSkipVerify: cluster.Insecure},
		token:  user.Token, user: user.Username, password: user.Password,
	}
	if user.TokenFile != "" {
		a.tokenFile = under(dir, user.TokenFile)
	}
	if cluster.ProxyURL != "" {
		proxy, err := url.Parse(cluster.ProxyURL)
		if err != nil {
			return nil, errors.New("proxy-url is no URL, such as http://proxy:3128") // it may have a password in it
		}
		a.proxy = http.ProxyURL(proxy)
	}
	ca, err := dataOrFile("certificate-authority", cluster.CAData, dir, cluster.CA)
	if err != nil {
		return nil, err
	}
	if len(ca) > 0 {
		if a.tls.RootCAs, err = roots(ca); err != nil {
			return nil, fmt.Errorf("certificate-authority: %w", err)
		}
	}
	certificate, err := dataOrFile("client-certificate", user.CertificateData, dir, user.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := dataOrFile("client-key", user.KeyData, dir, user.Key)
	if err != nil {
		return nil, err
	}
	if len(certificate) > 0 || len(key) > 0 {
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("client-certificate and client-key: %w", err)
		}
		a.tls.Certificates = []tls.Certificate{pair}
	}
	return a, nil
}

// current returns what the current context names. A context without a user is
// one without credentials.
func (k *kubeconfig) current() (kubeCluster, kubeUser, error) {
	if k.CurrentContext == "" {
		return kubeCluster{}, kubeUser{}, errors.New("current-context is missing")
	}
	for _, c := range k.Contexts {
		if c.Name != k.CurrentContext {
			continue
		}
		var user kubeUser
		found := c.Context.User == ""
		for _, u := range k.Users {
			if u.Name == c.Context.User {
				user, found = u.User, true
			}
		}
		if !found {
			return kubeCluster{}, kubeUser{}, fmt.Errorf("there is no user %q, which the current context %q names", c.Context.User, c.Name)
		}
		for _, cl := range k.Clusters {
			if cl.Name == c.Context.Cluster {
				return cl.Cluster, user, nil
			}
		}
		return kubeCluster{}, kubeUser{}, fmt.Errorf("there is no cluster %q, which the current context %q names", c.Context.Cluster, c.Name)
	}
	return kubeCluster{}, kubeUser{}, fmt.Errorf("there is no context %q, which current-context names", k.CurrentContext)
}

// dataOrFile returns what is given by value or by the name of a file.
func dataOrFile(what, data, dir, file string) ([]byte, error) {
	if data != "" {
		out, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			return nil, fmt.Errorf("%s-data: %w", what, err)
		}
		return out, nil
	}
	if file == "" {
		return nil, nil
	}
	out, err := os.ReadFile(under(dir, file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// under is a file's path as seen from the folder of the kubeconfig.
func under(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

func roots(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("there is no PEM certificate in it")
	}
	return pool, nil
}
