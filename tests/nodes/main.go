// One binary that is what Kubernetes runs beside a control plane when there are real nodes: it looks at the name that
// it was called by.
//
// It is a module of its own, beside the control plane's: who needs no nodes builds none of this, and a change here does
// not make anybody build a control plane anew. The Rust crate in this folder builds and starts it.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// Each name with the program that it starts; another program is another line.
var programs = map[string]func() int{
	"kube-scheduler": func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubelet":        func() int { return cli.Run(kubelet.NewKubeletCommand(context.Background())) },
}

func main() {
	name := filepath.Base(os.Args[0])
	program, known := programs[name]
	if !known {
		names := strings.Join(slices.Sorted(maps.Keys(programs)), ", ")
		fmt.Fprintf(os.Stderr, "%s is none of its names; call it by a symlink named %s\n", name, names)
		os.Exit(2)
	}
	os.Exit(program())
}
