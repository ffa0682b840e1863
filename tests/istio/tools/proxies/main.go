// proxies plays many sidecars to an istiod, as far as discovery goes: each has a delta stream of its own, asks for clusters, listeners
// and what those refer to, and acknowledges what comes. Each line on its stdin is a text that every proxy's extension configuration is
// to have: once it has come to all, and nothing more comes, a line of JSON says when and how much there was since the last one, and what
// the proxies have then. An empty line waits for anything.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	v3 "istio.io/istio/pilot/pkg/xds/v3"
)

// What is quiet for so long has no more to come.
const quiet = time.Second

// How long a proxy that was sent away waits.
const retry = time.Second

// fleet counts what came to all of its proxies.
type fleet struct {
	sync.Mutex
	proxies   []*proxy
	round     int // of awaiting
	wanted    string
	having    int       // proxies that have what is wanted, and have acknowledged it
	last      time.Time // when a proxy came to have it
	received  time.Time // when anything came
	extension int       // bytes of extension configuration
	all       int       // bytes
	failed    error
}

// The answer to a line on stdin; times are milliseconds of Unix.
type answer struct {
	Last           int64 `json:"last"`
	Received       int64 `json:"received"`
	ExtensionBytes int   `json:"extensionBytes"`
	Bytes          int   `json:"bytes"`
	// Proxies whose extension configuration has what is wanted in the end; names their own namespace; names another one.
	Having  int `json:"having"`
	Own     int `json:"own"`
	Foreign int `json:"foreign"`
}

// count takes down a response that a proxy has acknowledged.
func (f *fleet) count(p *proxy, response *discovery.DeltaDiscoveryResponse) {
	f.Lock()
	defer f.Unlock()
	now, size := time.Now(), proto.Size(response)
	f.received = now
	f.all += size
	had := p.hasInRound == f.round
	has := had || f.wanted == ""
	if response.TypeUrl == v3.ExtensionConfigurationType {
		f.extension += size
		for _, resource := range response.Resources {
			p.extensions[resource.Name] = resource.GetResource().GetValue()
		}
		has = f.wanted == "" || p.mentions(f.wanted)
	}
	if has && !had {
		f.having++
		f.last = now
		p.hasInRound = f.round
	} else if had && !has {
		f.having--
		p.hasInRound = 0
	}
}

// await starts to count anew, and returns when all have what is wanted (anything, where that is empty) and nothing more comes.
func (f *fleet) await(wanted string) (answer, error) {
	f.Lock()
	f.round++
	f.wanted, f.having, f.extension, f.all = wanted, 0, 0, 0
	f.Unlock()
	fmt.Println("awaiting")
	for {
		time.Sleep(quiet / 20)
		f.Lock()
		isDone := f.having == len(f.proxies) && time.Since(f.received) > quiet
		if isDone || f.failed != nil {
			defer f.Unlock()
			return f.result(), f.failed
		}
		f.Unlock()
	}
}

// result looks at what each proxy has in the end.
func (f *fleet) result() answer {
	result := answer{Last: f.last.UnixMilli(), Received: f.received.UnixMilli(), ExtensionBytes: f.extension, Bytes: f.all}
	for _, one := range f.proxies {
		own, foreign := false, false
		for _, value := range one.extensions {
			for _, name := range namespaceName.FindAll(value, -1) {
				own = own || string(name) == one.namespace
				foreign = foreign || string(name) != one.namespace
			}
		}
		if one.mentions(f.wanted) {
			result.Having++
		}
		if own {
			result.Own++
		}
		if foreign {
			result.Foreign++
		}
	}
	return result
}

type stream = discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesClient

// proxy is one of them.
type proxy struct {
	stream     stream
	namespace  string
	known      map[string]bool   // resources that were looked at, by type and name
	extensions map[string][]byte // extension configuration, by name
	hasInRound int               // the round whose text it has
}

// mentions tells whether its extension configuration has a text.
func (p *proxy) mentions(text string) bool {
	for _, value := range p.extensions {
		if bytes.Contains(value, []byte(text)) {
			return true
		}
	}
	return false
}

// references is what a resource makes a proxy ask for, by type.
func references(kind string, resource *discovery.Resource) (map[string][]string, error) {
	found := map[string][]string{}
	switch kind {
	case v3.ClusterType:
		var one cluster.Cluster
		if err := resource.Resource.UnmarshalTo(&one); err != nil {
			return nil, err
		}
		if one.GetType() == cluster.Cluster_EDS {
			name := one.GetEdsClusterConfig().GetServiceName()
			if name == "" {
				name = one.Name
			}
			found[v3.EndpointType] = []string{name}
		}
	case v3.ListenerType:
		var one listener.Listener
		if err := resource.Resource.UnmarshalTo(&one); err != nil {
			return nil, err
		}
		for _, chain := range append(one.FilterChains, one.DefaultFilterChain) {
			for _, filter := range chain.GetFilters() {
				var manager hcm.HttpConnectionManager
				if !filter.GetTypedConfig().MessageIs(&manager) {
					continue
				}
				if err := filter.GetTypedConfig().UnmarshalTo(&manager); err != nil {
					return nil, err
				}
				if name := manager.GetRds().GetRouteConfigName(); name != "" {
					found[v3.RouteType] = append(found[v3.RouteType], name)
				}
				for _, each := range manager.HttpFilters {
					if each.GetConfigDiscovery() != nil {
						found[v3.ExtensionConfigurationType] = append(found[v3.ExtensionConfigurationType], each.Name)
					}
				}
			}
		}
	}
	return found, nil
}

// take acknowledges a response, and asks for what is new in it.
func (p *proxy) take(response *discovery.DeltaDiscoveryResponse) error {
	if err := p.stream.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce}); err != nil {
		return err
	}
	wanted := map[string][]string{}
	for _, resource := range response.Resources {
		// Clusters stay as they are; of a listener the filters change.
		key := response.TypeUrl + " " + resource.Name
		if p.known[key] && response.TypeUrl != v3.ListenerType {
			continue
		}
		p.known[key] = true
		found, err := references(response.TypeUrl, resource)
		if err != nil {
			return err
		}
		for kind, names := range found {
			for _, name := range names {
				if key := "asked for " + kind + " " + name; !p.known[key] {
					p.known[key] = true
					wanted[kind] = append(wanted[kind], name)
				}
			}
		}
	}
	for kind, names := range wanted {
		if err := p.stream.Send(&discovery.DeltaDiscoveryRequest{TypeUrl: kind, ResourceNamesSubscribe: names}); err != nil {
			return err
		}
	}
	return nil
}

// run has a stream until it ends.
func (p *proxy) run(client discovery.AggregatedDiscoveryServiceClient, counts *fleet, node *core.Node) error {
	var err error
	if p.stream, err = client.DeltaAggregatedResources(context.Background()); err != nil {
		return err
	}
	clear(p.known)
	for index, kind := range []string{v3.ClusterType, v3.ListenerType} {
		request := &discovery.DeltaDiscoveryRequest{TypeUrl: kind}
		if index == 0 {
			request.Node = node
		}
		// Where the stream has ended already, why is told to who receives.
		if err := p.stream.Send(request); err != nil && err != io.EOF {
			return err
		}
	}
	for {
		response, err := p.stream.Recv()
		if err != nil {
			return err
		}
		if err := p.take(response); err != nil {
			return err
		}
		counts.count(p, response)
	}
}

// How the namespaces are called.
var namespaceName = regexp.MustCompile(`team-\d+`)

// nodeOf is the sidecar of the service with that index: its namespace and address are those that the services were made with.
func nodeOf(index int, namespace string) (*core.Node, error) {
	metadata, err := structpb.NewStruct(map[string]any{
		"NAMESPACE":     namespace,
		"CLUSTER_ID":    "Kubernetes",
		"ISTIO_VERSION": "1.31.1",
		"LABELS":        map[string]any{"app": fmt.Sprintf("service-%d", index)},
	})
	id := fmt.Sprintf("sidecar~10.1.%d.%d~service-%d.%s~%s.svc.cluster.local", index/250, index%250+1, index, namespace, namespace)
	return &core.Node{Id: id, Cluster: fmt.Sprintf("service-%d.%s", index, namespace), Metadata: metadata}, err
}

func play(address string, count, namespaces int) error {
	counts := &fleet{}
	for index := range count {
		namespace := fmt.Sprintf("team-%d", index%namespaces)
		node, err := nodeOf(index, namespace)
		if err != nil {
			return err
		}
		size := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32))
		connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), size)
		if err != nil {
			return err
		}
		client := discovery.NewAggregatedDiscoveryServiceClient(connection)
		sidecar := &proxy{namespace: namespace, known: map[string]bool{}, extensions: map[string][]byte{}}
		counts.Lock()
		counts.proxies = append(counts.proxies, sidecar)
		counts.Unlock()
		go func() {
			err := sidecar.run(client, counts, node)
			// Of many that come at once istiod sends some away for a while.
			for status.Code(err) == codes.ResourceExhausted {
				time.Sleep(retry)
				err = sidecar.run(client, counts, node)
			}
			counts.Lock()
			counts.failed = fmt.Errorf("%s: %w", node.Id, err)
			counts.Unlock()
		}()
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		result, err := counts.await(strings.TrimSpace(lines.Text()))
		if err != nil {
			return err
		}
		text, err := json.Marshal(result)
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	}
	return nil
}

func main() {
	address := flag.String("address", "127.0.0.1:15010", "istiod's")
	count := flag.Int("count", 500, "proxies")
	namespaces := flag.Int("namespaces", 40, "that they are in")
	flag.Parse()
	if err := play(*address, *count, *namespaces); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
