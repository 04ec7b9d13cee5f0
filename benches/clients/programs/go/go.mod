module clients

go 1.26

require (
	google.golang.org/grpc v1.86.0
	google.golang.org/protobuf v1.36.11
)
