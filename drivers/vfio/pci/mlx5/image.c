// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images: pages that firmware saves to or loads from, and that user space reads or
 * writes. They are charged to whoever makes us allocate them.
 */
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include <compat/vfio_pci.h>

#include "mig.h"
#include "record.h"

/**
 * mlx5vf_image_create() - an image of no size yet
 *
 * Return: the image with one reference, or NULL.
 */
struct mlx5vf_image *mlx5vf_image_create(void)
{
	struct mlx5vf_image *image;

	image = kzalloc(sizeof(*image), GFP_KERNEL_ACCOUNT);
	if (image)
		refcount_set(&image->refs, 1);
	return image;
}

/**
 * mlx5vf_image_get() - keep an image's memory
 * @image: the image
 */
void mlx5vf_image_get(struct mlx5vf_image *image)
{
	refcount_inc(&image->refs);
}

/**
 * mlx5vf_image_put() - an image's memory is not needed any more
 * @image: the image; whoever puts the last reference has it not mapped
 */
void mlx5vf_image_put(struct mlx5vf_image *image)
{
	if (!refcount_dec_and_test(&image->refs))
		return;

	for (unsigned int i = 0; i < image->nr; i++)
		__free_page(image->pages[i]);
	kvfree(image->pages);
	kfree(image);
}

/* ---- size -------------------------------------------------------------- */

static int make_room(struct mlx5vf_image *image, unsigned int pages)
{
	unsigned int room = max(pages, image->room * 2);
	struct page **array;

	if (pages <= image->room)
		return 0;

	array = kvrealloc(image->pages, array_size(room, sizeof(*array)),
			  GFP_KERNEL_ACCOUNT);
	if (!array)
		return -ENOMEM;
	memset(array + image->room, 0,
	       array_size(room - image->room, sizeof(*array)));
	image->pages = array;
	image->room = room;
	return 0;
}

/**
 * mlx5vf_image_grow() - have memory for an image
 * @image: the image; that it is mapped does not matter
 * @size: bytes, up to MLX5VF_IMAGE_MAX
 *
 * What it has got already stays.
 *
 * Return: 0, -ENOMEM, or -EINTR on a fatal signal.
 */
int mlx5vf_image_grow(struct mlx5vf_image *image, u64 size)
{
	unsigned int pages;
	int ret;

	if (size > MLX5VF_IMAGE_MAX)
		return -EINVAL;
	pages = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	ret = make_room(image, pages);
	if (ret)
		return ret;

	while (image->nr < pages) {
		unsigned long got;

		if (fatal_signal_pending(current))
			return -EINTR;
		got = alloc_pages_bulk(GFP_KERNEL_ACCOUNT, pages - image->nr,
				       image->pages + image->nr);
		if (!got)
			return -ENOMEM;
		image->nr += got;
		cond_resched();
	}
	return 0;
}

/* ---- mapping ----------------------------------------------------------- */

static struct device *dma_device(struct mlx5vf_mig *mig)
{
	return mig->pf->device;
}

/*
 * What firmware does not let go of it may still write to. Memory that is never
 * used again is the smaller evil.
 */
static void unmap(struct mlx5vf_mig *mig, struct mlx5vf_image *image)
{
	if (!image->mapped)
		return;

	if (mlx5vf_cmd_destroy_mkey(mig, image->mkey)) {
		mlx5vf_warn(mig, "%u pages stay in firmware's hands\n",
			    image->mapped);
		mlx5vf_image_get(image);
		return;
	}
	dma_unmap_sgtable(dma_device(mig), &image->sgt, image->dir, 0);
	sg_free_table(&image->sgt);
	image->mapped = 0;
}

static int map(struct mlx5vf_mig *mig, struct mlx5vf_image *image, u32 pdn,
	       enum dma_data_direction dir)
{
	struct sg_table *sgt = &image->sgt;
	int ret;

	ret = sg_alloc_table_from_pages(sgt, image->pages, image->nr, 0,
					(size_t)image->nr << PAGE_SHIFT,
					GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = dma_map_sgtable(dma_device(mig), sgt, dir, 0);
	if (ret)
		goto err_table;
	ret = mlx5vf_cmd_create_mkey(mig, pdn, sgt, image->nr, &image->mkey);
	if (ret)
		goto err_map;

	image->mapped = image->nr;
	image->dir = dir;
	return 0;

err_map:
	dma_unmap_sgtable(dma_device(mig), sgt, dir, 0);
err_table:
	sg_free_table(sgt);
	return ret;
}

/**
 * mlx5vf_image_map() - make an image ready for firmware
 * @mig: the migration of the VF, locked and attached
 * @image: the image
 * @pdn: protection domain, for an image always the same
 * @size: bytes that firmware needs
 * @dir: what firmware is going to do, for an image always the same
 *
 * Return: 0, or what memory, mapping or firmware refuses.
 */
int mlx5vf_image_map(struct mlx5vf_mig *mig, struct mlx5vf_image *image,
		     u32 pdn, u64 size, enum dma_data_direction dir)
{
	int ret;

	lockdep_assert_held(&mig->lock);

	if (image->mapped && (u64)image->mapped << PAGE_SHIFT >= size) {
		dma_sync_sgtable_for_device(dma_device(mig), &image->sgt, dir);
		return 0;
	}

	unmap(mig, image);
	if (image->mapped)
		return -EIO;
	ret = mlx5vf_image_grow(image, size);
	return ret ? ret : map(mig, image, pdn, dir);
}

/**
 * mlx5vf_image_sync() - firmware has saved: see it
 * @mig: the migration of the VF
 * @image: the image, mapped
 *
 * Context: Any.
 */
void mlx5vf_image_sync(struct mlx5vf_mig *mig, struct mlx5vf_image *image)
{
	dma_sync_sgtable_for_cpu(dma_device(mig), &image->sgt, image->dir);
}

/**
 * mlx5vf_image_destroy() - take an image away from firmware, and put it
 * @mig: the migration of the VF, locked and attached
 * @image: the image, or NULL
 */
void mlx5vf_image_destroy(struct mlx5vf_mig *mig, struct mlx5vf_image *image)
{
	lockdep_assert_held(&mig->lock);

	if (!image)
		return;
	unmap(mig, image);
	mlx5vf_image_put(image);
}

/* ---- contents ---------------------------------------------------------- */

typedef size_t (*copy_fn)(struct page *page, size_t offset, size_t len,
			  struct iov_iter *iter);

static size_t copy(struct mlx5vf_image *image, u64 pos, size_t len,
		   struct iov_iter *iter, copy_fn copy_page)
{
	size_t done = 0;

	while (done < len) {
		size_t offset = offset_in_page(pos + done);
		size_t n = min(len - done, PAGE_SIZE - offset);
		size_t copied;

		copied = copy_page(image->pages[(pos + done) >> PAGE_SHIFT],
				   offset, n, iter);
		done += copied;
		if (copied < n)
			break;
	}
	return done;
}

/**
 * mlx5vf_image_to_iter() - copy out of an image
 * @image: the image
 * @pos: where to begin
 * @len: bytes, all of them in the image
 * @to: where to copy to
 *
 * Context: Process context, without any lock: it may wait for user space.
 * Return: bytes copied; less than @len if memory of user space is missing.
 */
size_t mlx5vf_image_to_iter(struct mlx5vf_image *image, u64 pos, size_t len,
			    struct iov_iter *to)
{
	return copy(image, pos, len, to, copy_page_to_iter);
}

/**
 * mlx5vf_image_from_iter() - copy into an image
 * @image: the image
 * @pos: where to begin
 * @len: bytes, all of them in the image
 * @from: where to copy from
 *
 * Context: Process context, without any lock: it may wait for user space.
 * Return: bytes copied; less than @len if memory of user space is missing.
 */
size_t mlx5vf_image_from_iter(struct mlx5vf_image *image, u64 pos, size_t len,
			      struct iov_iter *from)
{
	return copy(image, pos, len, from, copy_page_from_iter);
}

/**
 * mlx5vf_image_peek() - copy out of an image, within the kernel
 * @image: the image
 * @pos: where to begin
 * @to: where to copy to
 * @len: bytes, all of them in the image
 */
void mlx5vf_image_peek(struct mlx5vf_image *image, u64 pos, void *to,
		       size_t len)
{
	while (len) {
		size_t n = min(len, PAGE_SIZE - offset_in_page(pos));

		memcpy_from_page(to, image->pages[pos >> PAGE_SHIFT],
				 offset_in_page(pos), n);
		pos += n;
		to += n;
		len -= n;
	}
}
