package shim

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	upstream "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// waitForTasks waits until as many tasks of a service run, and are healthy, as it wants.
func waitForTasks(ctx context.Context, config *upstream.ProviderConfig, id string, began time.Time) error {
	return look(ctx, config, id, began, func(service swarm.Service, running uint64) (bool, error) {
		return isComplete(service, running), nil
	})
}

func isComplete(service swarm.Service, running uint64) bool {
	replicated := service.Spec.Mode.Replicated
	return replicated == nil || replicated.Replicas == nil || running >= *replicated.Replicas
}

// waitForUpdate waits until an update has ended; one that was rolled back is an error, with that of its last task.
func waitForUpdate(ctx context.Context, config *upstream.ProviderConfig, id string, began time.Time) error {
	return look(ctx, config, id, began, func(service swarm.Service, running uint64) (bool, error) {
		status := service.UpdateStatus
		if status == nil { // it hasn't begun, or there is nothing to replace
			return isComplete(service, running), nil
		}
		switch status.State {
		case swarm.UpdateStateCompleted:
			return true, nil
		case swarm.UpdateStateRollbackCompleted:
			return false, fmt.Errorf("rolled back: %s", status.Message)
		case swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused:
			return false, fmt.Errorf("%s: %s", status.State, status.Message)
		}
		return false, nil
	})
}

func look(
	ctx context.Context, config *upstream.ProviderConfig, id string, began time.Time,
	isDone func(service swarm.Service, running uint64) (bool, error),
) error {
	for {
		service, _, err := config.DockerClient.ServiceInspectWithRaw(ctx, id, types.ServiceInspectOptions{})
		if err != nil && ctx.Err() == nil {
			return err
		}
		running, failure, err := tasks(ctx, config, service, began)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("not done after %s%s", time.Since(began).Round(time.Second), failure)
		}
		if done, err := isDone(service, running); err != nil {
			return fmt.Errorf("%w%s", err, failure)
		} else if done {
			return nil
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
		}
	}
}

// tasks returns how many of a service's tasks run as it is now, and why the last that failed since a time did so.
func tasks(
	ctx context.Context, config *upstream.ProviderConfig, service swarm.Service, since time.Time,
) (uint64, string, error) {
	found, err := config.DockerClient.TaskList(ctx, types.TaskListOptions{
		Filters: filters.NewArgs(filters.Arg("service", service.ID)),
	})
	wanted := service.Spec.TaskTemplate.ContainerSpec
	var running uint64
	var failure string
	last := since.Add(-interval)
	for _, one := range found {
		isUp := one.DesiredState == swarm.TaskStateRunning && one.Status.State == swarm.TaskStateRunning
		if isUp && reflect.DeepEqual(one.Spec.ContainerSpec, wanted) {
			running++
		}
		if one.Status.Err != "" && one.Status.Timestamp.After(last) {
			last, failure = one.Status.Timestamp, ". Last failure: "+one.Status.Err
		}
	}
	return running, failure, err
}

// hasTasks tells whether tasks of a service that is deleted are left, by looking at all: its own can't be asked for.
func hasTasks(ctx context.Context, engine *client.Client, service string) bool {
	found, _ := engine.TaskList(ctx, types.TaskListOptions{})
	return slices.ContainsFunc(found, func(one swarm.Task) bool { return one.ServiceID == service })
}
