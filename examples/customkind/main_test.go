package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// bob reads: <ann> What shall we eat?
	// bob is asked by ann: Where to? (Noodles, Pizza)
	// ann reads: <bob> Noodles!
	// ann sends a poll that breaks two rules
	//   nothing is sent: question: value length must be between 1 and 300 bytes, inclusive
	//   nothing is sent: options: value must contain between 2 and 10 items, inclusive
	// ann sends a poll that the server does not admit
	//   the server refuses: PermissionDenied
}
