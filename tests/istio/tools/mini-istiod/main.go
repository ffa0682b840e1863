// mini-istiod serves proxies by Istio's own discovery server (push context, listeners, ECDS, its translation of WasmPlugin), which it
// feeds from a folder of YAML in place of an API server. Each line on its stdin makes it read the folder again; it answers each with a
// line, and ends with its stdin. Of ports that the system picks (":0") its first line tells.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/test"
)

// files remembers what was read of each, so that a change costs what a change costs, and not the whole folder.
type files map[string]struct {
	text    string
	configs []config.Config
}

// parse takes what an API server with Istio's webhook would take: valid resources of kinds that Istio knows.
func parse(text string) ([]config.Config, error) {
	configs, unknown, err := crd.ParseInputs(text)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, kind := range unknown {
		problems = append(problems, fmt.Errorf("unknown kind %s", kind.Kind))
	}
	for _, one := range configs {
		schema, found := collections.Pilot.FindByGroupVersionKind(one.GroupVersionKind)
		if !found {
			problems = append(problems, fmt.Errorf("%s is not for istiod", one.Key()))
		} else if _, err := schema.ValidateConfig(one); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", one.Key(), err))
		}
	}
	return configs, errors.Join(problems...)
}

func (known files) read(folder string) ([]config.Config, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []config.Config
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, found := known[name]
		if !found || file.text != string(text) {
			file.text = string(text)
			if file.configs, err = parse(file.text); err != nil {
				return nil, err
			}
			known[name] = file
		}
		all = append(all, file.configs...)
	}
	return all, nil
}

// apply makes the store hold next, where it holds last. What stays as it is makes no push.
func apply(server *xds.FakeDiscoveryServer, last, next []config.Config) error {
	store := server.Store()
	kept := map[string]bool{}
	var problems []error
	for _, one := range next {
		kept[one.Key()] = true
		var err error
		if old := store.Get(one.GroupVersionKind, one.Name, one.Namespace); old == nil {
			_, err = store.Create(one)
		} else {
			one.ResourceVersion, one.CreationTimestamp = old.ResourceVersion, old.CreationTimestamp
			if !old.Equals(&one) {
				_, err = store.Update(one)
			}
		}
		problems = append(problems, err)
	}
	for _, one := range last {
		if !kept[one.Key()] {
			problems = append(problems, store.Delete(one.GroupVersionKind, one.Name, one.Namespace, nil))
		}
	}
	return errors.Join(problems...)
}

func serve(folder, meshFile, address, debug string) error {
	meshConfig, err := mesh.ReadMeshConfig(meshFile)
	if err != nil {
		return err
	}
	known := files{}
	configs, err := known.read(folder)
	if err != nil {
		return err
	}
	var served net.Addr
	listen := func() (net.Listener, error) {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			served = listener.Addr()
		}
		return listener, err
	}
	debugListener, err := net.Listen("tcp", debug)
	if err != nil {
		return err
	}
	return test.Wrap(func(t test.Failer) {
		server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
			MeshConfig: meshConfig, Configs: configs, ListenerBuilder: listen,
			// As istiod: changes that come together are one push.
			DebounceTime: features.DebounceAfter,
		})
		go func() { _ = http.Serve(debugListener, server.DiscoveryDebug) }()
		fmt.Printf("serving %d at %s, debug pages at %s\n", len(configs), served, debugListener.Addr())
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			next, err := known.read(folder)
			if err == nil {
				err = apply(server, configs, next)
				configs = next
			}
			if err != nil {
				fmt.Printf("refused %q\n", err.Error())
			} else {
				fmt.Println("applied", len(configs))
			}
		}
	})
}

func main() {
	folder := flag.String("config", "config", "folder of the resources")
	meshFile := flag.String("mesh", "mesh.yaml", "the mesh's configuration")
	address := flag.String("address", "127.0.0.1:0", "where proxies connect")
	debug := flag.String("debug", "127.0.0.1:0", "where istiod's debug pages are")
	flag.Parse()
	if err := serve(*folder, *meshFile, *address, *debug); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
