// h2spec, with the few settings that our tests need.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"
)

func main() {
	port := flag.Int("port", 0, "the port on loopback to talk to")
	tls := flag.Bool("tls", false, "in TLS, whatever the certificate")
	flag.Parse()
	passed, err := h2spec.Run(&config.Config{
		Host:         "127.0.0.1",
		Port:         *port,
		Path:         "/",
		Timeout:      5 * time.Second,
		MaxHeaderLen: 4000,
		Strict:       true,
		TLS:          *tls,
		Insecure:     true,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "h2spec:", err)
		os.Exit(2)
	}
	if !passed {
		os.Exit(1)
	}
}
