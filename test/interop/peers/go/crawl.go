package main

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/libp2p/go-libp2p-kad-dht/crawler"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// kadCrawl walks the network from the given addresses with go's crawler, on a host of its own: nobody knows
// it, it knows nobody, and it is no node of the network.
func (p *Peer) kadCrawl(ctx context.Context, r Request) (fields, error) {
	seeds, err := addrInfos(r.Peers)
	if err != nil {
		return nil, err
	}
	visitor, err := stranger(p.settings)
	if err != nil {
		return nil, err
	}
	defer visitor.Close()
	walker, err := crawler.NewDefaultCrawler(visitor,
		crawler.WithProtocols([]protocol.ID{protocol.ID(p.settings.kadProtocol)}), crawler.WithParallelism(8))
	if err != nil {
		return nil, err
	}
	found, failed := []fields{}, []fields{}
	walker.Run(ctx, seeds,
		func(id peer.ID, table []*peer.AddrInfo) {
			found = append(found, fields{"peer": id.String(), "knows": len(table), "protocols": protocolsOf(visitor, id)})
		},
		func(id peer.ID, err error) { // without an error the peer has answered and named nobody
			failed = append(failed, fields{"peer": id.String(), "error": fmt.Sprint(err)})
		})
	return fields{"found": found, "failed": failed}, ctx.Err()
}

func stranger(s Settings) (host.Host, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	return newHost(s, key)
}

func addrInfos(texts []string) ([]*peer.AddrInfo, error) {
	var infos []*peer.AddrInfo
	for _, text := range texts {
		info, err := peer.AddrInfoFromString(text)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}
