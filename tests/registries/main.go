// Registries as their makers publish them, for the test suite: each listens on a port of its own on
// loopback and says which on standard error. What they are given they keep in memory, distribution
// in the directory that its configuration names.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	crane "github.com/google/go-containerregistry/pkg/registry"
	"github.com/sirupsen/logrus"
)

var (
	page   = flag.Int("page", 0, "of CUE's: the most that a page may be asked to hold")
	noLink = flag.Bool("no-link", false, "of CUE's: pages do not name the next one")
)

func main() {
	flag.Parse()
	handler, err := registry(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "listening on %s,\n", listener.Addr())
	log.Fatal(http.Serve(listener, handler))
}

func registry(kind string) (http.Handler, error) {
	switch kind {
	case "crane":
		silent := crane.Logger(log.New(io.Discard, "", 0))
		return crane.New(silent, crane.WithReferrersSupport(true)), nil
	case "cue":
		options := ociserver.Options{MaxListPageSize: *page, OmitLinkHeaderFromResponses: *noLink}
		return ociserver.New(ocimem.New(), &options), nil
	case "distribution":
		// Its configuration comes on standard input.
		config, err := configuration.Parse(os.Stdin)
		if err != nil {
			return nil, err
		}
		logrus.SetOutput(io.Discard)
		return handlers.NewApp(context.Background(), config), nil
	}
	return nil, fmt.Errorf("no registry %q", kind)
}
