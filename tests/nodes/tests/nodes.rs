//! Real nodes as tests use them: their pods answer each other, and nothing of them is left.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control_plane::{Binaries, ControlPlane};
use nodes::{Cluster, POD_IMAGE, Programs};

/// A bound for what takes seconds on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Set for the process that is to hold a cluster until it is killed.
const HOLDER: &str = "NODES_HOLDER";

/// What a holder writes before each thing that its killer must know.
const MARK: &str = "holds ";

fn cluster(nodes: usize) -> Cluster {
    let binaries = Binaries::find().unwrap_or_else(|why| panic!("{why}"));
    let programs = Programs::find().unwrap_or_else(|why| panic!("{why}"));
    Cluster::start(&binaries, &programs, nodes).unwrap_or_else(|why| panic!("{why}"))
}

/// What kubectl prints; fails the test if it fails.
fn shown(plane: &ControlPlane, args: &[&str]) -> String {
    let output = plane.kubectl().args(args).output().expect("kubectl is there");
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("kubectl prints UTF-8")
}

fn get(address: (IpAddr, u16), path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: pod\r\n\r\n")?;
    let mut answer = [0; 200];
    let read = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}

#[test]
fn a_deployment_runs_on_both_nodes_and_answers() {
    let mut cluster = cluster(2);
    let deployment = format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 4
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {{matchLabels: {{app: web}}}}}}
      containers:
      - {{name: web, image: '{POD_IMAGE}', imagePullPolicy: Never, args: [serve, '8080'],
         readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}}}
"
    );
    cluster.plane().apply(&deployment).unwrap();
    shown(cluster.plane(), &["rollout", "status", "deployment/web", "--timeout=120s"]);
    let pods =
        ["get", "pods", "--output=jsonpath={range .items[*]}{.spec.nodeName} {.status.podIP}{\"\\n\"}{end}"];
    let pods = shown(cluster.plane(), &pods);
    for node in ["node-1 ", "node-2 "] {
        assert_eq!(pods.lines().filter(|line| line.starts_with(node)).count(), 2, "{pods}");
    }
    let addresses = pods.lines().map(|line| line.split_once(' ').expect("two words").1);
    for address in addresses {
        let answer = get((address.parse().unwrap(), 8080), "/hello").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("/hello 0\n"), "{answer}");
        // From a node, so that half of the ways lead to another one.
        let mut bash = cluster.node("node-1").unwrap().command("bash");
        bash.args(["-c", &format!("exec 3<>/dev/tcp/{address}/8080")]);
        assert!(bash.status().unwrap().success(), "node-1 does not reach {address}");
    }

    cluster.remove_node("node-1").unwrap();
    assert_eq!(cluster.add_node().unwrap().name(), "node-3");
    let nodes = shown(cluster.plane(), &["get", "nodes", "--output=jsonpath={.items[*].metadata.name}"]);
    assert_eq!(nodes, "node-2 node-3");
}

/// What must not be there any more: the bridge, the cgroups, kubelet's files, and every process.
fn traces(cluster: &Cluster) -> Vec<PathBuf> {
    let node = &cluster.nodes()[0];
    let [_, number, _, _] = node.address().octets();
    let bridge = format!("/sys/class/net/sluice-{number}").into();
    let cgroup = format!("/sys/fs/cgroup/memory/sluice-{number}").into();
    let init = init_of(node.folder());
    [bridge, cgroup, node.folder().to_owned()].into_iter().chain(init).collect()
}

/// The processes that have the node's folder among their arguments: unshare, process 1, containerd and kubelet.
fn init_of(folder: &Path) -> Vec<PathBuf> {
    let is_of = |process: &PathBuf| {
        let arguments = std::fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(&folder.display().to_string())
    };
    let processes = std::fs::read_dir("/proc").expect("every Linux has it");
    processes.flatten().map(|entry| entry.path()).filter(is_of).collect()
}

fn assert_gone(traces: &[PathBuf]) {
    let deadline = Instant::now() + LIMIT;
    while let Some(left) = traces.iter().find(|trace| is_there(trace)) {
        assert!(Instant::now() < deadline, "{} is still there", left.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that has ended but was not asked for its status by the process that inherited it counts as gone.
fn is_there(trace: &Path) -> bool {
    let stat = std::fs::read_to_string(trace.join("stat"));
    trace.exists() && !stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
fn nothing_is_left_when_the_holder_of_nodes_is_killed() {
    let mut holder = Command::new(env::current_exe().unwrap());
    holder.args(["--exact", "a_holder_of_nodes_stays_until_it_is_killed", "--nocapture"]).env(HOLDER, "yes");
    let mut holder = holder.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let traces = lines.filter_map(|line| line.strip_prefix(MARK).map(PathBuf::from));
    let traces: Vec<_> = traces.take(7).collect();
    assert_eq!(traces.len(), 7, "the holder ended by itself");
    assert!(traces.iter().all(|trace| is_there(trace)), "{traces:?}");
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_gone(&traces);
}

/// Only in the process that the test above starts; else there is nothing to hold.
#[test]
fn a_holder_of_nodes_stays_until_it_is_killed() {
    if env::var_os(HOLDER).is_none() {
        return;
    }
    let cluster = cluster(1);
    // The harness has begun a line of its own.
    println!();
    traces(&cluster).iter().for_each(|trace| println!("{MARK}{}", trace.display()));
    loop {
        std::thread::park();
    }
}
