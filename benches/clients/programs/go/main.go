// Go's net/http, and with an address in place of a URL gRPC: `clients URL CA MODE SECONDS`.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"
)

type report struct {
	Version  string         `json:"version"`
	Requests int            `json:"requests"`
	Lost     int            `json:"lost"`
	Why      map[string]int `json:"why"`
}

func main() {
	url, mode := os.Args[1], os.Args[3]
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	check(err)
	pem, err := os.ReadFile(os.Args[2])
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	trust := &tls.Config{RootCAs: roots}
	all := report{Version: runtime.Version(), Why: map[string]int{}}
	ask := web(url, trust, mode == "upload")
	if !strings.Contains(url, "://") {
		all.Version = grpc.Version
		ask = calls(url, trust, mode == "upload")
	}
	many := 1
	if mode == "parallel" {
		many = 8
	}
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	var lock sync.Mutex
	var group sync.WaitGroup
	for range many {
		group.Go(func() {
			for time.Now().Before(end) {
				err := ask()
				lock.Lock()
				all.Requests++
				if err != nil {
					all.Lost++
					all.Why[err.Error()]++
				}
				lock.Unlock()
				if mode == "pause" {
					time.Sleep(time.Duration(50+rand.Intn(450)) * time.Millisecond)
				}
			}
		})
	}
	group.Wait()
	check(json.NewEncoder(os.Stdout).Encode(all))
}

func web(url string, trust *tls.Config, upload bool) func() error {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}}
	return func() error {
		var answer *http.Response
		var err error
		if upload {
			reader, writer := io.Pipe()
			go drip(writer)
			answer, err = client.Post(url, "text/plain", reader)
		} else {
			answer, err = client.Get(url)
		}
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if _, err := io.ReadAll(answer.Body); err != nil {
			return err
		}
		if answer.StatusCode != 200 || answer.ProtoMajor != 2 {
			return fmt.Errorf("%s %s", answer.Proto, answer.Status)
		}
		return nil
	}
}

func drip(writer *io.PipeWriter) {
	for range 10 {
		if _, err := writer.Write([]byte(strings.Repeat("x", 100))); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	writer.Close()
}

func calls(address string, trust *tls.Config, upload bool) func() error {
	channel, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(trust)))
	check(err)
	return func() error {
		within, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if !upload {
			return channel.Invoke(within, "/test.Test/Ask", &emptypb.Empty{}, &emptypb.Empty{})
		}
		kind := &grpc.StreamDesc{ClientStreams: true}
		stream, err := channel.NewStream(within, kind, "/test.Test/Ask")
		if err != nil {
			return err
		}
		for range 10 {
			if err := stream.SendMsg(&emptypb.Empty{}); err != nil {
				return errors.Join(err, stream.RecvMsg(&emptypb.Empty{}))
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		return stream.RecvMsg(&emptypb.Empty{})
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
