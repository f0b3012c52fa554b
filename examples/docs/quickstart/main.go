// Quickstart is the first program of README.md: two users and a text.
package main

import (
	"context"
	"fmt"
	"log"

	imv1 "github.com/game-im/im-grpc-sdk/gen/im/v1"
	"github.com/game-im/im-grpc-sdk/gen/im/v1/imv1sdk"
	"github.com/game-im/im-grpc-sdk/runtime/session"
)

func main() {
	if err := chat(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func chat(ctx context.Context) error {
	address, stop, err := startServer(ctx) // or host:port of a server that you have
	if err != nil {
		return err
	}
	defer stop()

	// Ann prints what she hears. Handlers are given before Connect.
	ann, err := session.Dial(address, session.WithUser("ann"), session.WithRoom("lobby"))
	if err != nil {
		return err
	}
	defer ann.Close()
	heard := make(chan struct{})
	_, err = imv1sdk.NewClient(ann, imv1sdk.Handlers{
		OnText: func(_ context.Context, m *imv1sdk.TextMessage) error {
			fmt.Printf("<%s> %s\n", m.From, m.Content.GetText())
			close(heard)
			return nil
		},
	})
	if err != nil {
		return err
	}
	if err := ann.Connect(ctx); err != nil {
		return err
	}

	// Bob talks.
	bob, err := session.Dial(address, session.WithUser("bob"), session.WithRoom("lobby"))
	if err != nil {
		return err
	}
	defer bob.Close()
	im, err := imv1sdk.NewClient(bob, imv1sdk.Handlers{})
	if err != nil {
		return err
	}
	if err := bob.Connect(ctx); err != nil {
		return err
	}
	receipt, err := im.SendText(ctx, "lobby", &imv1.TextContent{Text: "Hello, Ann!"})
	if err != nil {
		return err
	}
	<-heard
	fmt.Println("the room's log has it:", receipt.Appended)

	// What breaks the rules of the proto goes nowhere.
	_, err = im.SendText(ctx, "lobby", &imv1.TextContent{Text: ""})
	fmt.Println(err)
	return nil
}
