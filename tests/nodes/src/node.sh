# Process 1 of a node. It runs in network, mount and process namespaces of its own, so that all of the node ends with it:
# containerd, its shims, every container, every mount.
#
# $1 the node's folder, $2 its address, $3 its gateway, $4 where the relay to the API server is, $5 its number, $6 the
# first two numbers of all addresses, then the archives with images that it has from the start. It says on its output how
# far it has come.
set -eu
folder=$1 address=$2 gateway=$3 api=$4 number=$5 net=$6
shift 6

# What containers mount must be seen by containerd and kubelet alike; none of it leaves this namespace. These three are
# the node's own: two nodes of one machine may not find each other's hostPath folders.
mount --make-rshared /
for place in /run /var/lib /var/log; do
    mount -t tmpfs -o mode=755 node "$place"
done

# kubelet sets these for the whole machine, and will not start where they cannot be set: let it have copies.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=${setting%=*}
    mkdir -p "/run/sysctl/${file%/*}"
    echo "${setting#*=}" >"/run/sysctl/$file"
    mount --bind "/run/sysctl/$file" "/proc/sys/$file"
done

echo prepared
# The network card is put in from outside.
read -r _

ip link set lo up
ip link set eth0 up
ip address add "$address/24" dev eth0
ip route add default via "$gateway"
# The Service `kubernetes`: there is no kube-proxy, so a server really has its address.
ip route add 10.96.0.1/32 via "$api"
# The pods of every other node there may ever be, so that a node need not be told of a new one.
other=1
while [ "$other" -le 40 ]; do
    [ "$other" -eq "$number" ] || ip route add "$net.$other.0/24" via "$net.0.$((other + 10))"
    other=$((other + 1))
done
echo 1 >/proc/sys/net/ipv4/ip_forward

echo 'nameserver 127.0.0.1' >/run/resolv.conf
containerd --config "$folder/containerd.toml" >"$folder/containerd.log" 2>&1 </dev/null &
tries=600
until ctr version >"$folder/ctr.log" 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || exit 1
    sleep 0.05
done
for archive in "$@"; do
    ctr --namespace k8s.io images import --local "$archive" >"$folder/ctr.log" 2>&1
done

kubelet --config="$folder/kubelet.yaml" --kubeconfig="$folder/kubeconfig" --hostname-override="node-$number" \
    --node-ip="$address" >"$folder/kubelet.log" 2>&1 </dev/null &
echo started
# Orphans become children of process 1 and are waited for with the others.
while :; do
    wait
    sleep 1
done
